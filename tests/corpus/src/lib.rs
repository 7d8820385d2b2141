//! Runner of the data files.
