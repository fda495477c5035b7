//! A checker for the existence of a file.

use std::{borrow::Cow, path::PathBuf};

use checkup_core::{Checker, Failure, Observation, async_trait};

/// Checks that a file exists.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileExists {
    /// The path of the file.
    pub path: PathBuf,
}

#[async_trait]
impl Checker for FileExists {
    fn endpoint(&self) -> Cow<'_, str> {
        self.path.to_string_lossy()
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        match tokio::fs::try_exists(&self.path).await? {
            true => Ok(Observation::new()),
            false => Err(Failure::assertion("the file is missing")),
        }
    }
}
