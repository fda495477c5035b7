//! Loopback servers and certificates for tests of checkers.
