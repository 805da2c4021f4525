//! Configuration: commented defaults compiled in, then a file, then the environment; every problem reported in one go.
