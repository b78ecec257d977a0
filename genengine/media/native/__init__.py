"""Small compiled functions, built once where there is a C compiler; everything works without them, a little slower."""
