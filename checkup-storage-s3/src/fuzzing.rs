//! Entry points for fuzzing: the parsers of what S3 servers send. Not part of the API.
//!
//! Each takes any bytes, and panics only if a parser is broken.

use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, Response, StatusCode};
use object_store::client::HttpResponseBody;

use crate::action::Action;
use crate::config::S3;
use crate::listing::without_strange_names;
use crate::refusal::Refusal;
use crate::target::Target;
use crate::wire::{Answer, Kind, success};
use crate::{document, error};

/// The secret of the storage, which no error shows.
const SECRET: &str = "s3cr3t";

/// Reads bytes as the document of a success, as a page of a listing, and as a refusal.
pub fn document(bytes: &[u8]) {
    let _ = document::root(bytes);
    let page = without_strange_names(Bytes::copy_from_slice(bytes));
    assert!(page.len() <= bytes.len(), "a page grows");
    assert_eq!(without_strange_names(page.clone()), page, "strange names are left after the first time");
    for kind in [Kind::Listing, Kind::Other] {
        let response = Response::new(HttpResponseBody::from(Bytes::copy_from_slice(bytes)));
        let outcome = success(response, kind, "s3.test").now_or_never();
        assert!(outcome.is_some(), "a body that is complete is waited for");
    }
    refusal(bytes);
}

/// The errors of a refusal have no secrets, no line breaks and no end of the server's words.
fn refusal(bytes: &[u8]) {
    let settings = S3::new("status").endpoint("http://127.0.0.1:9").access_key("AKIAEXAMPLE", SECRET);
    let Ok(target) = Target::new(&settings) else { return };
    for status in [200, 301, 400, 403, 404, 501, 503] {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        let refusal = Refusal::new(status, &HeaderMap::new(), bytes);
        for action in [Action::LIST, Action::DELETE_MANY, Action::put("1-check.json")] {
            let error = error::failed(&target, &action, Answer::Refused(refusal.clone()));
            let text = checkup_core::ErrorChain(&error).to_string();
            assert!(!text.contains(SECRET), "an error shows the secret");
            assert!(text.chars().count() <= 8000, "an error of {} characters", text.chars().count());
            assert_eq!(checkup_core::text::escape(&text), text, "an error has characters that mislead");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn inputs_of_the_corpus_are_accepted() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        checkup_testkit::for_each_input(&corpus.join("s3_document"), document);
    }
}
