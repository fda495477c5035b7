//! The status page of Checkup: static, served and embedded.
