//! What network checkers share: name resolution and TLS settings of clients.
