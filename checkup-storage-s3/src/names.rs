//! Names that distinguish one storage's settings from others on the same bucket.

/// The name of a statement, rule or tag of the storage with this prefix: `base`, and a hash of the prefix, since each prefix of a bucket
/// is a separate storage. It has only letters and digits, as a `Sid` must.
pub(crate) fn name(base: &str, prefix: &str) -> String {
    if prefix.is_empty() { base.to_owned() } else { format!("{base}{:08x}", hash(prefix)) }
}

/// FNV-1a with 32 bits.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prefix_has_its_own_name_which_stays_the_same() {
        assert_eq!(name("CheckupReadFiles", ""), "CheckupReadFiles");
        // Test vectors of draft-eastlake-fnv.
        assert_eq!(name("X", "a"), "Xe40c292c");
        assert_eq!(name("X", "foobar"), "Xbf9cf968");
        assert!(name("CheckupReadFiles", "prüfungen/*/").chars().all(|c| c.is_ascii_alphanumeric()));
    }
}
