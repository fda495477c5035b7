//! The file-system storage of Checkup, the health-check library.
