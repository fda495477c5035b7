//! The DNS checker of Checkup, the health-check library.
