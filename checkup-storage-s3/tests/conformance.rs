//! The S3 storage passes the conformance suites for storages and for named files, even on servers that lack a part of the protocol.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;

use checkup_storage_s3::{S3, S3Storage};
use checkup_testkit::conformance::{NamedFilesFixture, StorageFixture};
use checkup_testkit::{S3Server, TcpServer};

const BUCKET: &str = "status";

fn settings(server: &S3Server) -> S3 {
    S3::new(BUCKET).endpoint(server.endpoint()).access_key(server.access_key_id(), server.secret_access_key())
}

/// The same, in a bucket that does not exist.
fn missing(mut settings: S3) -> S3 {
    "another".clone_into(&mut settings.bucket);
    settings
}

fn start(prepare: impl Fn(&S3Server)) -> Arc<S3Server> {
    let server = S3Server::start();
    server.create_bucket(BUCKET);
    prepare(&server);
    Arc::new(server)
}

fn storage(prefix: &'static str, prepare: impl Fn(&S3Server)) -> StorageFixture {
    let server = start(prepare);
    let silent = TcpServer::silent();
    let of_silent = settings(&server).endpoint(format!("http://{}", silent.addr()));
    let base = settings(&server).prefix(prefix);
    let (expiring, failing) = (base.clone(), missing(base.clone()));
    let (putting, looking) = (Arc::clone(&server), Arc::clone(&server));
    StorageFixture::new(move || base.clone())
        .expiring(move |age| expiring.clone().check_expiry(age))
        .failing(move || failing.clone())
        .hanging(move || of_silent.clone())
        .files(
            move |name, content| putting.put(BUCKET, &format!("{prefix}{name}"), content),
            move |name| looking.object(BUCKET, &format!("{prefix}{name}")).is_some(),
        )
        .secret(server.secret_access_key())
        .keep((server, silent))
}

fn files(prefix: &'static str, prepare: impl Fn(&S3Server)) -> NamedFilesFixture {
    let server = start(prepare);
    let silent = TcpServer::silent();
    let open = |settings: S3| move || S3Storage::new(settings.clone()).unwrap().files();
    let base = settings(&server).prefix(prefix);
    NamedFilesFixture::new(open(base.clone()))
        .failing(open(missing(base.clone())))
        .hanging(open(base.endpoint(format!("http://{}", silent.addr()))))
        .secret(server.secret_access_key())
        .keep((server, silent))
}

mod at_the_root {
    use super::*;

    checkup_testkit::named_files_conformance!(|| files("", |_| {}));

    checkup_testkit::storage_conformance!(|| storage("", |_| {}));
}

mod under_a_prefix {
    use super::*;

    /// The bucket also contains other objects.
    fn prepare(server: &S3Server) {
        for key in ["1", "checks", "checks/", "checks0", "other/1473318000000000000-check.json", "z"] {
            server.put(BUCKET, key, "alien");
        }
    }

    checkup_testkit::named_files_conformance!(|| files("checks/here/", prepare));

    checkup_testkit::storage_conformance!(|| storage("checks/here/", prepare));
}

mod where_conditions_are_ignored {
    use super::*;

    checkup_testkit::storage_conformance!(|| storage("", |server| server.ignore_put_conditions(true)));
}

mod where_conditions_are_refused {
    use super::*;

    checkup_testkit::storage_conformance!(|| storage("", |server| server.refuse_put_conditions(true)));
}

mod where_bulk_deletes_are_refused {
    use super::*;

    checkup_testkit::named_files_conformance!(|| files("", |server| server.refuse_bulk_deletes(true)));
}
