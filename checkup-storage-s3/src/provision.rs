//! Makes the bucket, and lets a status page read the check files: [`StorageProvisioner`].
//!
//! Each step looks at what there is, and writes only what is missing or not as asked. What becomes public becomes so last.

mod api;
mod bucket;
mod cors;
mod http;
mod lifecycle;
mod names;
mod policy;
mod steps;

use checkup_core::{Provision, ProvisionStep, StorageError, StorageProvisioner, async_trait};

use self::bucket::Bucket;
use self::steps::Steps;
use crate::files::Files;

#[async_trait]
impl StorageProvisioner for Files {
    async fn provision(
        &self,
        request: &Provision,
        tell: &mut (dyn FnMut(ProvisionStep) + Send),
    ) -> Result<(), StorageError> {
        let target = self.target();
        let fail = |error: &dyn std::fmt::Display| {
            StorageError::new(format!("cannot provision {}: {error}", target.describe()))
        };
        request.validate().map_err(|error| fail(&error))?;
        if request.expire_after.is_some() && target.prefix.is_empty() {
            return Err(fail(
                &"without a `prefix` a lifecycle rule could remove other objects of the bucket too; set a prefix, \
                  or `check_expiry` instead",
            ));
        }
        let bucket = Bucket::make(target, request, tell).await?;
        let mut steps = Steps::new(&bucket, request, tell);
        steps.cors().await?;
        if let Some(age) = request.expire_after {
            steps.lifecycle(age).await?;
        }
        if request.website {
            steps.website().await?;
        }
        steps.public_access().await?;
        steps.policy().await
    }
}
