//! A real DNS server that serves a zone.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use checkup_testkit::Identity;
use checkup_testkit::tokio_rustls::rustls::ServerConfig;
use checkup_testkit::tokio_rustls::rustls::crypto::aws_lc_rs;
use checkup_testkit::tokio_rustls::rustls::pki_types::pem::PemObject;
use checkup_testkit::tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_proto::dnssec::crypto::Ed25519SigningKey;
use hickory_proto::dnssec::rdata::DNSKEY;
use hickory_proto::dnssec::{DnssecSigner, SigningKey};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_server::Server;
use hickory_server::dnssec::NxProofKind;
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneHandler, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

type Zone = InMemoryZoneHandler<TokioRuntimeProvider>;

/// How long the server waits for a client.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that stops when this is dropped.
pub(crate) struct ZoneServer {
    pub(crate) addr: SocketAddr,
    _server: Server<Catalog>,
}

impl ZoneServer {
    /// Serves over UDP and TCP, on one port.
    pub(crate) async fn start(zones: Vec<ZoneBuilder>) -> Self {
        let mut server = Server::new(catalog(zones));
        // The port may be in use for one of the two protocols, in which case another one is tried.
        let (tcp, udp) = loop {
            let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (tcp, udp);
            }
        };
        let addr = tcp.local_addr().unwrap();
        server.register_socket(udp);
        server.register_listener(tcp, PATIENCE, 32);
        Self { addr, _server: server }
    }

    /// Serves over TLS.
    pub(crate) async fn start_tls(zones: Vec<ZoneBuilder>, identity: &Identity) -> Self {
        let mut server = Server::new(catalog(zones));
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = tcp.local_addr().unwrap();
        server.register_tls_listener_with_tls_config(tcp, PATIENCE, tls_config(identity, b"dot")).unwrap();
        Self { addr, _server: server }
    }

    /// Serves over HTTPS, at `path`.
    pub(crate) async fn start_https(zones: Vec<ZoneBuilder>, identity: &Identity, path: &str) -> Self {
        let mut server = Server::new(catalog(zones));
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = tcp.local_addr().unwrap();
        let config = tls_config(identity, b"h2");
        server.register_https_listener_with_tls_config(tcp, PATIENCE, config, None, path.to_owned()).unwrap();
        Self { addr, _server: server }
    }
}

/// A zone under construction.
pub(crate) struct ZoneBuilder {
    origin: Name,
    records: Vec<Record>,
    key: Option<ZoneKey>,
}

impl ZoneBuilder {
    /// A zone with its SOA and NS records.
    pub(crate) fn new(origin: &str) -> Self {
        let soa = format!("ns.{origin} admin.{origin} 1 3600 600 86400 60");
        let zone = Self { origin: name(origin), records: Vec::new(), key: None };
        zone.record(origin, RecordType::SOA, &soa).record(origin, RecordType::NS, &format!("ns.{origin}"))
    }

    /// `example.test`, with records of many types.
    pub(crate) fn example() -> Self {
        let mut zone = Self::new("example.test.")
            .record("example.test.", RecordType::MX, "10 mail.example.test.")
            .record("example.test.", RecordType::MX, "20 Backup.example.test.")
            .record("example.test.", RecordType::TXT, "\"v=spf1 -all\"")
            .record("example.test.", RecordType::CAA, "0 issue \"ca.test\"")
            .record("_sip._tcp.example.test.", RecordType::SRV, "0 5 5060 sip.example.test.")
            .record("www.example.test.", RecordType::A, "192.0.2.10")
            .record("www.example.test.", RecordType::A, "192.0.2.11")
            .record("www.example.test.", RecordType::AAAA, "2001:db8::10")
            .record("alias.example.test.", RecordType::CNAME, "www.example.test.")
            .record("dangling.example.test.", RecordType::CNAME, "gone.example.test.");
        // Does not fit a datagram.
        for number in 0..200 {
            zone = zone.record("big.example.test.", RecordType::A, &format!("10.0.0.{number}"));
        }
        zone
    }

    pub(crate) fn record(mut self, owner: &str, record_type: RecordType, data: &str) -> Self {
        let data = RData::try_from_str(record_type, data).unwrap();
        self.records.push(Record::from_rdata(name(owner), 60, data));
        self
    }

    /// Signs the zone.
    pub(crate) fn signed(mut self, key: ZoneKey) -> Self {
        self.key = Some(key);
        self
    }

    fn build(self) -> Zone {
        let proof = self.key.as_ref().map(|_| NxProofKind::Nsec);
        let mut zone = Zone::empty(self.origin.clone(), ZoneType::Primary, AxfrPolicy::Deny, proof);
        for record in self.records {
            assert!(zone.upsert_mut(record.clone(), 1), "{record}");
        }
        if let Some(key) = self.key {
            zone.add_zone_signing_key_mut(key.signer(&self.origin)).unwrap();
            zone.secure_zone_mut().unwrap();
        }
        zone
    }
}

/// A key for signing zones.
pub(crate) struct ZoneKey(Ed25519SigningKey);

impl ZoneKey {
    pub(crate) fn new() -> Self {
        Self(Ed25519SigningKey::from_pkcs8(&Ed25519SigningKey::generate_pkcs8().unwrap()).unwrap())
    }

    /// The line for this key in a trust anchor file.
    pub(crate) fn trust_anchor(&self, origin: &str) -> String {
        let key = DNSKEY::from_key(&self.0.to_public_key().unwrap());
        format!("{origin} 3600 IN DNSKEY {key}\n")
    }

    fn signer(self, origin: &Name) -> DnssecSigner {
        let key = DNSKEY::from_key(&self.0.to_public_key().unwrap());
        DnssecSigner::new(key, Box::new(self.0), origin.clone(), Duration::from_secs(3600))
    }
}

fn catalog(zones: Vec<ZoneBuilder>) -> Catalog {
    let mut catalog = Catalog::new();
    for zone in zones {
        let zone = zone.build();
        catalog.upsert(zone.origin().clone(), vec![Arc::new(zone)]);
    }
    catalog
}

fn tls_config(identity: &Identity, alpn: &[u8]) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(identity.cert_pem.as_bytes()).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![alpn.to_vec()];
    Arc::new(config)
}

fn name(text: &str) -> Name {
    Name::from_str(text).unwrap()
}
