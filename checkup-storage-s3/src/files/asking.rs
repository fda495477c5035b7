//! Requests, each within its time limit.

use checkup_core::StorageError;
use object_store::aws::AmazonS3;
use tokio::time::timeout;

use super::Files;
use crate::action::Action;
use crate::error;
use crate::wire::{Answer, watch};

/// The outcome of a request.
#[derive(Debug)]
pub(super) enum Outcome<T> {
    Done(T),
    /// The server refused, or did not answer.
    Answered(Answer),
    /// It failed although all responses were successes.
    Unexpected(object_store::Error),
}

impl Files {
    /// Sends a request, with all its retries, within `timeout`.
    pub(super) async fn call<T, F>(
        &self,
        action: &Action,
        request: impl FnOnce(AmazonS3) -> F,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let outcome = self.ask(action, request).await?;
        self.end(action, outcome)
    }

    /// The same, for callers that handle some refusals themselves.
    pub(super) async fn ask<T, F>(
        &self,
        action: &Action,
        request: impl FnOnce(AmazonS3) -> F,
    ) -> Result<Outcome<T>, StorageError>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let client = self.shared.connection.client().await?;
        self.ask_of(client, action, request).await
    }

    pub(super) async fn ask_of<T, F>(
        &self,
        client: AmazonS3,
        action: &Action,
        request: impl FnOnce(AmazonS3) -> F,
    ) -> Result<Outcome<T>, StorageError>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let (done, answer) = watch(timeout(self.target().timeout, request(client))).await;
        match (done, answer) {
            (Ok(Ok(done)), _) => Ok(Outcome::Done(done)),
            (Ok(Err(_)), Some(answer)) => Ok(Outcome::Answered(answer)),
            (Ok(Err(error)), None) => Ok(Outcome::Unexpected(error)),
            (Err(_), answer) => Err(error::timed_out(self.target(), action, answer)),
        }
    }

    /// The result of an outcome that no caller handles.
    pub(super) fn end<T>(&self, action: &Action, outcome: Outcome<T>) -> Result<T, StorageError> {
        match outcome {
            Outcome::Done(done) => Ok(done),
            Outcome::Answered(answer) => Err(error::failed(self.target(), action, answer)),
            Outcome::Unexpected(error) => Err(error::unexpected(self.target(), action, &error)),
        }
    }
}
