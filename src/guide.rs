//! Three guides: [`embed`] checks in a service, [`extend`] the library, and [`test`](mod@test) against real servers. Each
//! starts from scratch; all code in them is compiled, and nearly all is run.
//!
//! The terms are the same in code, config files and on the command line. A *checker* tries something once: an *attempt*. A
//! *check* is a checker with a name and a policy. A *run* makes the attempts of every check and yields a *report* with one
//! *result* per check: *healthy*, *degraded* (it works, but needs attention), *down*, or *unknown* (this machine, not the target, was in
//! trouble).

#[doc = include_str!("guide/embed.md")]
pub mod embed {}

#[doc = include_str!("guide/extend.md")]
pub mod extend {}

#[doc = include_str!("guide/test.md")]
pub mod test {}
