//! Three guides: [`embed`] checks in a service, [`extend`] the library with what it does not have, [`test`](mod@test) against
//! real servers. Each begins with nothing and ends with a whole program; what they show is compiled and run.
//!
//! The words are the same everywhere, in code, config files and on the command line. A *checker* tries once whether something
//! works, which is an *attempt*. A *check* is a checker with a name and a policy. A *run* makes the attempts of every check,
//! and yields a *report* with one *result* per check: *healthy*, *degraded* (it works, and somebody should look) or *down*.

#[doc = include_str!("guide/embed.md")]
pub mod embed {}

#[doc = include_str!("guide/extend.md")]
pub mod extend {}

#[doc = include_str!("guide/test.md")]
pub mod test {}
