use std::collections::VecDeque;

use super::{NamedFiles, naming};
use crate::StorageError;
use crate::check_file::FileName;

/// The names of the check files from a given name on, page by page.
#[derive(Debug)]
pub(super) struct Listing<'a, F> {
    files: &'a F,
    /// Where the next page begins; `None` after the last page.
    from: Option<String>,
    page: VecDeque<String>,
    limit: usize,
    /// The limit of the pages after the first.
    then: usize,
}

impl<'a, F: NamedFiles> Listing<'a, F> {
    pub(super) fn new(files: &'a F, from: String, limit: usize) -> Self {
        Self { files, from: Some(from), page: VecDeque::new(), limit, then: limit }
    }

    /// Lists fewer names in the first page, for callers that usually need no more.
    pub(super) fn first(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The next check file. They come in the order of their names' bytes, which is the order of their times if these
    /// have 19 digits.
    pub(super) async fn next(&mut self) -> Result<Option<FileName>, StorageError> {
        loop {
            while let Some(name) = self.page.pop_front() {
                if let Some(name) = FileName::parse(&name) {
                    return Ok(Some(name));
                }
            }
            let Some(from) = self.from.take() else { return Ok(None) };
            self.page = self.files.list_before(&from, naming::END, self.limit).await?.into();
            // The smallest name after a name is that name with the smallest character appended.
            self.from = (self.page.len() >= std::mem::replace(&mut self.limit, self.then))
                .then(|| self.page.back().map(|last| format!("{last}\0")))
                .flatten();
        }
    }
}
