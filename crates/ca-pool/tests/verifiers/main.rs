//! Proof by others' software: what is issued, under CAs that others made, is accepted by rustls-webpki and by
//! OpenSSL for its purpose, and refused for another name or purpose; SVIDs pass the `spiffe` crate's own
//! checks.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod authorities;
mod chains;
mod fitness;
mod go;
mod made_by_openssl;
mod odd_subjects;
mod openssl;
mod pods;
mod readers;
mod svid;
mod webpki;

use ca_pool::{CaPool, ExtendedKeyUsage, IssuedCertificate, Leaf, PublicKey, SerialNumber, Terms, issue};
use jiff::Timestamp;

/// What a verifier is asked about a leaf.
#[derive(Clone, Copy, Debug)]
enum Question<'a> {
    /// Is it a server of this name?
    Server(&'a str),
    /// Is it a client?
    Client,
}

/// Issues a leaf now.
fn issued(pool: &CaPool, leaf: &Leaf, key: &PublicKey) -> IssuedCertificate {
    let serial = SerialNumber::from_random([0xc0; 16]);
    issue(leaf, key, &Terms::default(), pool.signing(), serial, Timestamp::now()).unwrap()
}

/// A leaf for one purpose, with a name of its own.
fn leaf(usage: ExtendedKeyUsage) -> Leaf {
    Leaf::new([usage]).dns_name("server.web.svc".parse().unwrap())
}

/// The answers of both verifiers.
fn answers(
    pool: &CaPool,
    issued: &IssuedCertificate,
    question: Question<'_>,
) -> [(&'static str, Result<(), String>); 2] {
    [("webpki", webpki::verify(pool, issued, question)), ("openssl", openssl::verify(pool, issued, question))]
}

#[track_caller]
fn assert_accepted(pool: &CaPool, issued: &IssuedCertificate, question: Question<'_>) {
    for (verifier, answer) in answers(pool, issued, question) {
        assert_eq!(answer, Ok(()), "{verifier}, {question:?}, {}", pool.signing());
    }
}

/// Refused with a word of the reason for each verifier: webpki's and OpenSSL's.
#[track_caller]
fn assert_refused(pool: &CaPool, issued: &IssuedCertificate, question: Question<'_>, reasons: [&str; 2]) {
    for ((verifier, answer), reason) in answers(pool, issued, question).into_iter().zip(reasons) {
        let answer = answer.unwrap_err();
        assert!(answer.contains(reason), "{verifier}, {question:?}, {}: {answer}", pool.signing());
    }
}
