//! The TCP checker of Checkup, the health-check library.
