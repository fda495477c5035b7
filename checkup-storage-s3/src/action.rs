//! [`Action`]: names a request to the server in errors.

use std::borrow::Cow;

/// What was asked of the server, in the words of errors.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    /// A phrase to be followed by the bucket: `read the policy of`.
    pub(crate) text: Cow<'static, str>,
    /// The IAM action that it needs: `s3:GetBucketPolicy`.
    pub(crate) permission: &'static str,
}

impl Action {
    pub(crate) const fn new(text: &'static str, permission: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), permission }
    }

    pub(crate) fn put(name: &str) -> Self {
        Self { text: format!("put {name} into").into(), permission: "s3:PutObject" }
    }

    pub(crate) fn get(name: &str) -> Self {
        Self { text: format!("get {name} from").into(), permission: "s3:GetObject" }
    }

    pub(crate) fn look(name: &str) -> Self {
        Self { text: format!("look for {name} in").into(), permission: "s3:GetObject" }
    }

    pub(crate) fn delete(name: &str) -> Self {
        Self { text: format!("delete {name} from").into(), permission: "s3:DeleteObject" }
    }

    pub(crate) const LIST: Self = Self::new("list", "s3:ListBucket");
    pub(crate) const DELETE_MANY: Self = Self::new("delete files from", "s3:DeleteObject");
}
