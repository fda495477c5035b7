//! FNV-1a, for what must be the same on every node, in every version and in other programs: names of files, shards.
//!
//! It is no protection against who makes collisions on purpose. Source: draft-eastlake-fnv.

/// A 64-bit FNV-1a hash of what was added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// The hash with these bytes added.
    #[must_use]
    pub(crate) fn add(mut self, bytes: &[u8]) -> Self {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }

    /// The hash in 32 bits, which both of its halves are in.
    #[allow(clippy::cast_possible_truncation, reason = "that is what it is for")]
    pub(crate) fn short(self) -> u32 {
        (self.0 ^ (self.0 >> 32)) as u32
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
