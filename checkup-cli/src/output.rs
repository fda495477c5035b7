//! What the command prints: data to standard output, in one of two formats.

pub(crate) mod escape;
pub(crate) mod json;
pub(crate) mod progress;
mod stdout;
pub(crate) mod text;

pub(crate) use stdout::Stdout;
