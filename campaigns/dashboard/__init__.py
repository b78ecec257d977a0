"""The first page of a workspace: what is going on and what to do next."""
