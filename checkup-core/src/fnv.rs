//! FNV-1a, a hash that is the same on every node, in every version and in other programs. It is used for file names and
//! shards.
//!
//! It does not protect against deliberate collisions. Source: draft-eastlake-fnv.

use std::hash::Hasher;

use fnv::FnvHasher;

/// A 64-bit FNV-1a hash of the bytes that were added.
#[derive(Default)]
pub(crate) struct Fnv(FnvHasher);

impl Fnv {
    /// Adds these bytes to the hash.
    #[must_use]
    pub(crate) fn add(mut self, bytes: &[u8]) -> Self {
        self.0.write(bytes);
        self
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.finish()
    }

    /// The hash in 32 bits: the exclusive or of both halves.
    #[allow(clippy::cast_possible_truncation, reason = "that is what it is for")]
    pub(crate) fn short(&self) -> u32 {
        (self.value() ^ (self.value() >> 32)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standard() {
        assert_eq!(Fnv::default().value(), 0xcbf2_9ce4_8422_2325);
        assert_eq!(Fnv::default().add(b"a").value(), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(Fnv::default().add(b"foo").add(b"bar").value(), 0x8594_4171_f739_67e8);
    }
}
