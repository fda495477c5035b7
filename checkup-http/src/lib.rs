//! The HTTP checker of Checkup, the health-check library.
