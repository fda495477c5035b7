//! [`validate_path`]: rejects file content given where a path is expected.

use std::path::Path;

use crate::ConfigError;

/// The longest path that systems accept, in bytes: `PATH_MAX` of Linux.
const MAX_PATH: usize = 4096;

/// The longest name in a path, in bytes: `NAME_MAX` of Linux, and the limit of the file systems of macOS and Windows.
const MAX_NAME: usize = 255;

/// Refuses a value that cannot be a path, usually the content of a file (such as a private key) from a variable.
///
/// Call it for every path in settings, when the checkup is built. The error never shows the value, which may be a
/// secret. This function does not access the file system.
///
/// ```
/// use std::path::Path;
/// use checkup_core::validate_path;
///
/// assert!(validate_path("tls.client_key_file", Path::new("/etc/ssl/client.key")).is_ok());
///
/// let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQ…";
/// let error = validate_path("tls.client_key_file", Path::new(key)).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "tls.client_key_file: expected a path, found the content of a PEM file; write it to a file, and set the path of that"
/// );
/// ```
///
/// # Errors
///
/// If the path is empty, is PEM text or a URL, has a line break or another control character, or is longer than any path.
pub fn validate_path(key: impl Into<String>, path: &Path) -> Result<(), ConfigError> {
    let found = match path.as_os_str().as_encoded_bytes() {
        [] => "an empty text; set a path, or remove this".to_owned(),
        bytes if contains(bytes, b"-----BEGIN ") => {
            "the content of a PEM file; write it to a file, and set the path of that".to_owned()
        }
        bytes if has_lines(bytes) => {
            "a text of several lines; if it is a file's content, write it to a file, and set the path of that"
                .to_owned()
        }
        [.., b'\n'] => "a line break at its end; remove it".to_owned(),
        bytes if contains(bytes, b"://") => "a URL; set the path of a local file or folder".to_owned(),
        bytes if bytes.iter().any(u8::is_ascii_control) => "a control character in it; remove it".to_owned(),
        bytes if is_too_long(bytes) => format!(
            "a text of {} bytes, longer than any path; if it is a file's content, write it to a file, and set the path \
             of that",
            bytes.len()
        ),
        _ => return Ok(()),
    };
    Err(ConfigError::invalid(key, format!("expected a path, found {found}")))
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Whether there is a line break anywhere but at the end.
fn has_lines(bytes: &[u8]) -> bool {
    bytes.trim_ascii_end().iter().any(|byte| matches!(byte, b'\n' | b'\r'))
}

fn is_too_long(bytes: &[u8]) -> bool {
    let is_separator = |byte: &u8| std::path::is_separator(char::from(*byte));
    bytes.len() >= MAX_PATH || bytes.split(is_separator).any(|name| name.len() > MAX_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_accepted() {
        let long = format!("/{}/{}", "a".repeat(MAX_NAME), "b".repeat(MAX_NAME));
        for path in ["ca.pem", "/etc/ssl/my certs/ca (1).pem", "../naïve.pem", "a-----b", long.as_str()] {
            assert_eq!(validate_path("ca_file", Path::new(path)), Ok(()), "{path}");
        }
    }

    #[test]
    fn content_is_refused_without_being_shown() {
        const SECRET: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
        for (value, found) in [
            (
                format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"),
                "the content of a PEM file",
            ),
            // Variables: without its line breaks, and with text before the key.
            (format!("-----BEGIN RSA PRIVATE KEY----- {SECRET}"), "the content of a PEM file"),
            (format!("Bag Attributes\n-----BEGIN PRIVATE KEY-----{SECRET}"), "the content of a PEM file"),
            (format!("{SECRET}\n{SECRET}"), "a text of several lines"),
            (format!("{SECRET}\r{SECRET}"), "a text of several lines"),
            (format!("{SECRET}\n"), "a line break at its end"),
            (format!("{SECRET}\u{1b}[2J"), "a control character"),
            (SECRET.repeat(10), "a text of 320 bytes"),
            (format!("{SECRET}/").repeat(200), "a text of 6600 bytes"),
            (format!("https://user:{SECRET}@example.com/ca.pem"), "a URL"),
            // As a relative path in a config file.
            (format!("/etc/checkup/https://{SECRET}@example.com"), "a URL"),
            (String::new(), "an empty text"),
        ] {
            let error = validate_path("client_key_file", Path::new(&value)).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.starts_with(&format!("client_key_file: expected a path, found {found}")), "{text}");
            assert!(!text.contains(SECRET), "{text}");
        }
    }
}
