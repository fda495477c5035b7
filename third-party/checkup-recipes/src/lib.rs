//! Checks of the clients that a service already has, each to be copied: a connection pool, a gRPC channel, a bucket, a disk, a queue.
//!
//! A check that uses the service's own pool sees what its requests see: a pool that has run dry as well as a database that is down. None
//! of them needs a timeout: the engine sets one for every attempt, and drops the future when it is over.
#![doc = include_str!("../README.md")]

use checkup_core::{Check, Failure, Observation, check_fn};
use object_store::ObjectStore;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use sqlx::PgPool;
use tonic::transport::Channel;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// A PostgreSQL pool of sqlx: a connection is free or can be made, and the server answers.
pub fn postgres(pool: PgPool) -> Check {
    check_fn("postgres", move || {
        let pool = pool.clone();
        async move { sqlx::query("SELECT 1").execute(&pool).await.map(|_| ()) }
    })
    .endpoint("the main pool")
}

/// A Redis pool of deadpool: a connection is free or can be made, and the server answers.
pub fn redis(pool: deadpool_redis::Pool) -> Check {
    check_fn("redis", move || {
        let pool = pool.clone();
        async move {
            let mut connection = pool.get().await.map_err(Failure::from_error)?;
            let ping = deadpool_redis::redis::cmd("PING");
            ping.query_async::<()>(&mut connection).await.map_err(Failure::from_error)
        }
    })
    .endpoint("the session pool")
}

/// A channel of tonic: the server connects, and says by the gRPC health protocol that this service (empty: the whole server) serves.
pub fn grpc(channel: Channel, service: &'static str) -> Check {
    check_fn("grpc", move || {
        let mut client = HealthClient::new(channel.clone());
        async move {
            let request = tonic_health::pb::HealthCheckRequest { service: service.to_owned() };
            match client.check(request).await.map_err(Failure::from_error)?.get_ref().status() {
                ServingStatus::Serving => Ok(()),
                other => Err(Failure::expected("SERVING").found(other.as_str_name())),
            }
        }
    })
    .endpoint("the catalogue service")
}

/// A bucket: it exists, and the key may list it.
pub fn bucket(bucket: AmazonS3) -> Check {
    check_fn("bucket", move || {
        let bucket = bucket.clone();
        // One request, however many objects there are.
        async move { bucket.list_with_delimiter(Some(&Path::from("invoices"))).await.map(|_| ()) }
    })
    .endpoint("the bucket for invoices")
}

/// A disk: at least this share of it is free. Below twice that, the check is degraded.
pub fn disk_space(folder: &'static str, min_percent: u64) -> Check {
    check_fn("disk space", move || async move {
        // It can block, on a network file system for example.
        let space =
            tokio::task::spawn_blocking(move || rustix::fs::statvfs(folder)).await.map_err(Failure::from_error)?;
        let space = space.map_err(std::io::Error::from)?;
        match space.f_bavail * 100 / space.f_blocks.max(1) {
            free if free < min_percent => Err(Failure::assertion(format!("{free} % is free"))),
            free if free < 2 * min_percent => Ok(Observation::new().degraded(format!("only {free} % is free"))),
            _ => Ok(Observation::new()),
        }
    })
    .endpoint(folder)
}

/// A queue in a Redis list: degraded from this many waiting jobs on, and down from ten times as many on.
pub fn queue_depth(pool: deadpool_redis::Pool, list: &'static str, many: u64) -> Check {
    check_fn("queue depth", move || {
        let pool = pool.clone();
        async move {
            let mut connection = pool.get().await.map_err(Failure::from_error)?;
            let length = deadpool_redis::redis::cmd("LLEN").arg(list).query_async::<u64>(&mut connection).await;
            match length.map_err(Failure::from_error)? {
                jobs if jobs < many => Ok(Observation::new()),
                jobs if jobs < 10 * many => Ok(Observation::new().degraded(format!("{jobs} jobs wait"))),
                jobs => Err(Failure::assertion(format!("{jobs} jobs wait"))),
            }
        }
    })
    .endpoint(list)
}
