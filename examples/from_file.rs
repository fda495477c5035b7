//! Reads checks from `examples/checkup.yaml`, runs them, stores the results, and writes the config back with its
//! secrets redacted.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use checkup::config::Format;
use checkup_testkit::{HttpServer, Response, TcpServer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shop = HttpServer::start(|_| Response::new(200).body("welcome"));
    let mail = TcpServer::start(|mut connection: TcpStream| async move {
        let _ = connection.write_all(b"220 mail.example.test ready\r\n").await;
    });
    let dir = tempfile::tempdir()?;

    // `registry.load(path)` takes variables from the environment; here they are the addresses of the servers above.
    let variables = |name: &str| match name {
        "SHOP" => Some(shop.addr().to_string()),
        "MAIL" => Some(mail.addr().to_string()),
        "DIR" => Some(dir.path().to_string_lossy().into_owned()),
        _ => None,
    };
    let checkup = checkup::default_registry().parse_with(include_str!("checkup.yaml"), Format::Yaml, variables)?;
    let report = checkup.check_and_store().await?;
    report.assert_healthy();
    println!("{report}");
    println!("{}", serde_json::to_string_pretty(&checkup)?);
    Ok(())
}
