//! The S3 storage of Checkup: check files in a bucket.
