//! Many checks with default settings, some of which are of servers that never answer.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use std::time::Duration;

use checkup::http::Http;
use checkup::{Cause, Check, Checkup, Status};
use checkup_testkit::{HttpServer, Response, TcpServer};

/// Every tenth of 1,000 checks hangs. They must all hang at the same time, so that the run takes one timeout instead of
/// several in a row.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_hanging_checks_of_a_thousand_cost_one_timeout() {
    let healthy = HttpServer::start(|_| Response::new(200).body("ok"));
    let silent = TcpServer::silent();
    let url = |index: usize| match index % 10 {
        0 => format!("http://{}/{index}", silent.addr()),
        _ => healthy.url("/"),
    };
    // Long enough for the healthy ones to finish well before, so that the run then waits only for the hanging ones.
    let check = |index| Check::new(format!("check {index}"), Http::new(url(index))).timeout(Duration::from_secs(5));
    let checkup = Checkup::builder().checks((0..1000).map(check)).build().unwrap();

    let watch = async {
        let mut most = 0;
        while most < 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            most = most.max(silent.open());
        }
        most
    };
    let (report, most) = tokio::join!(checkup.check(), watch);
    assert_eq!(most, 100);
    assert_eq!((report.count(Status::Healthy), report.count(Status::Down)), (900, 100));
    for (index, result) in report.results.iter().enumerate() {
        assert_eq!(result.name, format!("check {index}"));
        let cause = result.attempts[0].cause;
        assert_eq!(cause, (index % 10 == 0).then_some(Cause::Timeout), "{result:?}");
    }
}
