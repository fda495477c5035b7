//! Each recipe, against a server on loopback that works and one that does not.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use checkup_core::{Check, CheckResult, Checkup, Status};
use checkup_testkit::{S3Server, closed_port};
use deadpool_redis::Runtime;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use tokio::process::Child;
use tonic::transport::{Endpoint, Server};
use tonic_health::ServingStatus;

async fn result(check: Check) -> CheckResult {
    Checkup::builder().check(check).build().unwrap().check().await.results.remove(0)
}

async fn is(check: Check, status: Status, reason: &str) {
    let result = result(check).await;
    let found = result.reason().unwrap_or_default();
    assert!(result.status == status && found.contains(reason), "{result:?}");
}

/// A port that a server can take. Another process might take it in the meantime; the wait for the server would then fail.
fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A Redis server, which is stopped when this is dropped, and a pool of connections to it.
async fn redis() -> (Child, deadpool_redis::Pool) {
    let port = free_port().port().to_string();
    let mut command = tokio::process::Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port, "--save", ""]).kill_on_drop(true).stdout(Stdio::null());
    let server = command.spawn().expect("redis-server is installed (Debian: apt-get install redis-server)");
    let pool = redis_pool(&port);
    let check = Checkup::builder().check(checkup_recipes::redis(pool.clone())).build().unwrap();
    check.wait_until_healthy(Duration::from_secs(30)).await.unwrap();
    (server, pool)
}

fn redis_pool(port: &str) -> deadpool_redis::Pool {
    deadpool_redis::Config::from_url(format!("redis://127.0.0.1:{port}")).create_pool(Some(Runtime::Tokio1)).unwrap()
}

#[tokio::test]
async fn a_redis_pool_is_healthy_while_the_server_answers() {
    let (mut server, pool) = redis().await;
    server.kill().await.unwrap();
    is(checkup_recipes::redis(pool), Status::Down, "").await;
    is(checkup_recipes::redis(redis_pool(&closed_port().port().to_string())), Status::Down, "refused").await;
}

#[tokio::test]
async fn a_queue_is_healthy_then_degraded_then_down_as_it_grows() {
    let (_server, pool) = redis().await;
    let depth = || checkup_recipes::queue_depth(pool.clone(), "jobs", 5);
    is(depth(), Status::Healthy, "").await;
    for (pushed, status, reason) in [(5, Status::Degraded, "5 jobs wait"), (45, Status::Down, "50 jobs wait")] {
        let mut push = deadpool_redis::redis::cmd("RPUSH");
        push.arg("jobs").arg(vec!["job"; pushed]);
        push.query_async::<()>(&mut pool.get().await.unwrap()).await.unwrap();
        is(depth(), status, reason).await;
    }
}

#[tokio::test]
async fn a_postgres_pool_without_a_server_is_down() {
    let pool = sqlx::PgPool::connect_lazy(&format!("postgres://shop@{}/shop", closed_port())).unwrap();
    // sqlx repeats a refused connection until its own time limit, or that of the attempt, is over.
    is(checkup_recipes::postgres(pool).timeout(Duration::from_secs(1)), Status::Down, "").await;
}

#[tokio::test]
async fn a_grpc_service_is_healthy_while_it_serves() {
    let (reporter, service) = tonic_health::server::health_reporter();
    let addr = free_port();
    let server = tokio::spawn(Server::builder().add_service(service).serve(addr));
    let channel = Endpoint::from_shared(format!("http://{addr}")).unwrap().connect_lazy();
    let check = || checkup_recipes::grpc(channel.clone(), "catalogue");
    let whole = Checkup::builder().check(checkup_recipes::grpc(channel.clone(), "")).build().unwrap();
    whole.wait_until_healthy(Duration::from_secs(30)).await.unwrap();
    is(check(), Status::Down, "service not registered").await;
    reporter.set_service_status("catalogue", ServingStatus::NotServing).await;
    is(check(), Status::Down, "expected SERVING, found \"NOT_SERVING\"").await;
    reporter.set_service_status("catalogue", ServingStatus::Serving).await;
    is(check(), Status::Healthy, "").await;
    server.abort();
}

fn bucket_of(server: &S3Server, name: &str, secret: &str) -> AmazonS3 {
    let bucket = AmazonS3Builder::new().with_bucket_name(name).with_region("us-east-1").with_allow_http(true);
    bucket
        .with_endpoint(server.endpoint())
        .with_access_key_id(server.access_key_id())
        .with_secret_access_key(secret)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_bucket_is_healthy_if_it_exists_and_the_key_is_right() {
    let server = S3Server::start();
    server.create_bucket("invoices");
    let key = server.secret_access_key();
    is(checkup_recipes::bucket(bucket_of(&server, "invoices", key)), Status::Healthy, "").await;
    is(checkup_recipes::bucket(bucket_of(&server, "other", key)), Status::Down, "NoSuchBucket").await;
    is(checkup_recipes::bucket(bucket_of(&server, "invoices", "wrong")), Status::Down, "SignatureDoesNotMatch").await;
}

#[tokio::test]
async fn a_disk_is_judged_by_what_is_free_of_it() {
    is(checkup_recipes::disk_space(".", 0), Status::Healthy, "").await;
    is(checkup_recipes::disk_space(".", 101), Status::Down, "% is free").await;
    is(checkup_recipes::disk_space("no such folder", 5), Status::Down, "No such file or directory").await;
}

#[test]
fn each_recipe_has_fewer_than_fifteen_lines() {
    let source = include_str!("../src/lib.rs");
    for function in source.split("\npub fn ").skip(1) {
        let body = function.split("\n}\n").next().unwrap();
        let lines = body.lines().filter(|line| !line.trim().starts_with("//")).count() + 1;
        let name = body.split('(').next().unwrap();
        assert!(lines <= 15, "{name}: {lines}");
    }
}
