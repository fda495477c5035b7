//! A checker of files: one must exist.

use std::{borrow::Cow, path::PathBuf};

use checkup::{Checker, Failure, Observation, async_trait};

/// A file must exist.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileExists {
    /// The file.
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
