"""A small compiled resampler, built once where there is a C compiler; everything works without it, a little slower."""
