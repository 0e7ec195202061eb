//! What a file is that is no PEM, or no pool in JSON: what other tools write, and how it is converted. The
//! content is never shown.

use der::{Decode, Tag, asn1::AnyRef};

use crate::authority::asn1::{Certificate, TbsCertificate, elements};

/// What a file is instead, and the remedy.
pub(super) fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match bytes {
        [0xff, 0xfe, ..]
        | [0xfe, 0xff, ..]
        | [0, b'-', ..]
        | [b'-', 0, ..]
        | [0, b'{', ..]
        | [b'{', 0, ..] => Some(UTF_16),
        [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => Some(JAVA_KEY_STORE),
        [0x30, ..] => der(bytes),
        _ if text.starts_with(b"{") => Some(json(text)),
        // base64 of `-----BEGIN`
        _ if text.starts_with(b"LS0tLS1CRUdJTi") => Some(BASE64_OF_PEM),
        _ if contains(text, b"-----\\n") => Some(ESCAPED_PEM),
        _ if text.starts_with(b"apiVersion:") || text.starts_with(b"kind:") => Some(MANIFEST),
        _ => None,
    }
}

const UTF_16: &str = "it is text in UTF-16, as PowerShell's `>` writes it; convert it with `iconv -f UTF-16 -t UTF-8 FILE > FILE.pem`, or write it with `Set-Content -Encoding ascii`";
const JAVA_KEY_STORE: &str = "it is a Java key store; convert it with `keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12`, and then \
                              `(umask 077; openssl pkcs12 -in FILE.p12 -nodes -out FILE.pem)`";
const BASE64_OF_PEM: &str = "it is PEM in base64, as `data` of a Secret has it; decode it with `(umask 077; base64 -d FILE > FILE.pem)`";
const ESCAPED_PEM: &str = "it is PEM whose line breaks are written as \\n, as in JSON or in an environment variable; convert it with `(umask 077; printf '%b' \"$(tr -d '\"' < FILE)\" > FILE.pem)`";
const MANIFEST: &str = "it is a manifest of Kubernetes and not a file out of one; get the value with `kubectl get secret NAME -o jsonpath='{.data.tls\\.crt}' | base64 -d`";
const PKCS_12: &str = "it is PKCS#12 (.pfx, .p12); convert it with `(umask 077; openssl pkcs12 -in FILE -nodes -out FILE.pem)` (with -legacy for files of old programs), which serves as certificate and as key file";
const PKCS_7: &str =
    "it is PKCS#7 (.p7b); convert it with `openssl pkcs7 -inform DER -in FILE -print_certs -out FILE.pem`";
const DER_CERTIFICATE: &str = "it is a certificate in DER (binary, as .cer and .der files are); convert it with `openssl x509 -inform DER -in FILE -out FILE.pem`";
const DER_KEY: &str = "it is a private key in DER (binary); convert it with `(umask 077; openssl pkey -inform DER -in FILE -out FILE.pem)`";
const DER_ENCRYPTED_KEY: &str = "it is an encrypted private key in DER (binary); decrypt it with `(umask 077; openssl pkcs8 -inform DER -in FILE -out FILE.pem)`";
const DER_OTHER: &str = "it is binary (ASN.1), and neither a certificate nor a key; write it in PEM";

const CFSSL: &str = "it is the JSON that `cfssl gencert` writes; convert it with `(umask 077; cfssljson -bare ca < FILE)`, which makes ca.pem (the certificate) and ca-key.pem (the key)";
const VAULT: &str = "it is an answer of Vault in JSON; take it apart with `jq -r .data.certificate FILE > ca.pem`, `(umask 077; jq -r .data.private_key FILE > ca.key)` and \
                     `jq -r '.data.ca_chain[]? // .data.issuing_ca' FILE > root.pem`";
const SECRET_IN_JSON: &str = "it is an object of Kubernetes in JSON and not a value out of one; get the value with `jq -r '.data[\"KEY\"]' FILE | base64 -d`";
const TERRAFORM: &str = "it is output of Terraform in JSON; write the value itself with `(umask 077; terraform output -raw NAME > FILE.pem)`";
const POOL: &str =
    "it is a CA pool in JSON, which is given as `file` in the configuration and as --file to signerctl";
const KEY_SET: &str =
    "it is a JSON Web Key Set, which holds no certificates; take the PEM that the key was made of";
const ONE_CA: &str =
    "it is one CA and no pool; `(umask 077; jq '{CAs: [.]}' FILE > POOL)` makes a pool of it";
const CONSUL: &str = "it is an answer of Consul in JSON, which has no key of the CA; `jq -r '.Roots[].RootCert' FILE > root.pem` makes a file of its roots";
const OTHER_JSON: &str = "it is JSON, and nothing that is known here; take the PEM out of it with jq -r";

/// What a JSON document is, by the names of its fields. It needn't be whole.
fn json(text: &[u8]) -> &'static str {
    let has = |name: &str| contains_ignoring_case(text, format!("\"{name}\"").as_bytes());
    match () {
        () if has("CAs") => POOL,
        () if has("SigningKeyPKCS8") || has("RootCertificateDER") => ONE_CA,
        () if has("Roots") && has("RootCert") => CONSUL,
        () if has("apiVersion") && has("kind") => SECRET_IN_JSON,
        () if has("data") && (has("issuing_ca") || has("lease_id") || has("private_key")) => VAULT,
        () if has("cert") && has("key") || has("csr") && has("key") => CFSSL,
        () if has("sensitive") && has("value") || has("terraform_version") => TERRAFORM,
        () if has("keys") && has("kty") => KEY_SET,
        () => OTHER_JSON,
    }
}

/// What stands in a JSON document instead of a pool.
pub(super) fn foreign_json(text: &[u8]) -> Option<&'static str> {
    Some(json(text)).filter(|found| ![POOL, OTHER_JSON].contains(found))
}

fn der(bytes: &[u8]) -> Option<&'static str> {
    // a file may have a line break behind it
    let outer = AnyRef::from_der(bytes).or_else(|_| AnyRef::from_der(bytes.trim_ascii_end())).ok()?;
    if Certificate::from_der(bytes).is_ok_and(|outer| outer.tbs.decode_as::<TbsCertificate<'_>>().is_ok()) {
        return Some(DER_CERTIFICATE);
    }
    let parts = elements(outer.value()).ok()?;
    let tags: Vec<Tag> = parts.iter().map(|part| part.header().tag()).collect();
    Some(match tags.as_slice() {
        [Tag::ObjectIdentifier, ..] => PKCS_7,
        [Tag::Integer, Tag::Sequence] | [Tag::Integer, Tag::Sequence, Tag::Sequence] => PKCS_12,
        [Tag::Integer, Tag::Sequence, Tag::OctetString, ..]
        | [Tag::Integer, Tag::OctetString, ..]
        | [Tag::Integer, Tag::Integer, Tag::Integer, ..] => DER_KEY,
        [Tag::Sequence, Tag::OctetString] => DER_ENCRYPTED_KEY,
        _ => DER_OTHER,
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn contains_ignoring_case(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}
