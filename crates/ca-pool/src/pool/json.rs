//! The JSON format of pools: the one of the Go original, so that its Secrets work as they are.

mod fields;
mod tree;

use std::{io, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use self::{fields::Fields, tree::Tree};
use super::{
    CaPool, MAX_LEAF_LIFETIME, Member, PoolEntry, PoolError,
    automatic_rotation::ROTATION,
    check_count,
    foreign::foreign,
    revocation::{REVOKED, check_revocation},
    schedule::Retirement,
};
use crate::{
    authority::{CaCertificate, CertificateAuthority, SigningKey, SigningKeyError},
    issuance::Terms,
};

#[derive(Serialize)]
struct Document {
    #[serde(rename = "CAs")]
    authorities: Vec<Entry>,
    #[serde(rename = "Generation", skip_serializing_if = "is_zero")]
    generation: u64,
    #[serde(flatten)]
    further: Map<String, Value>,
}

const DOCUMENT: [&str; 5] = ["Format", "CAs", "Generation", REVOKED, ROTATION];

/// Go writes an absent list as null, and leaves out nothing.
#[derive(Serialize)]
struct Entry {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "SigningKeyPKCS8")]
    signing_key: Secret,
    #[serde(rename = "RootCertificateDER")]
    root: String,
    #[serde(rename = "IntermediateCertificatesDER")]
    intermediates: Option<Vec<String>>,
    #[serde(rename = "SignsFrom", skip_serializing_if = "Option::is_none")]
    signs_from: Option<String>,
    #[serde(rename = "SignsUntil", skip_serializing_if = "Option::is_none")]
    signs_until: Option<String>,
    #[serde(rename = "TrustedUntil", skip_serializing_if = "Option::is_none")]
    trusted_until: Option<String>,
    #[serde(rename = "LongestLeafSeconds", skip_serializing_if = "Option::is_none")]
    longest_leaf_seconds: Option<u64>,
    #[serde(flatten)]
    further: Map<String, Value>,
}

const ENTRY: [&str; 8] = [
    "ID",
    "SigningKeyPKCS8",
    "RootCertificateDER",
    "IntermediateCertificatesDER",
    "SignsFrom",
    "SignsUntil",
    "TrustedUntil",
    "LongestLeafSeconds",
];

fn is_zero(generation: &u64) -> bool {
    *generation == 0
}

/// Measures what is written, and keeps nothing of it.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A text that is wiped when it is dropped.
struct Secret(Zeroizing<String>);

impl CaPool {
    /// Reads a pool in JSON.
    ///
    /// # Errors
    /// If it isn't one, or one of its entries makes no certificate authority.
    pub fn from_json(json: &[u8]) -> Result<Self, PoolError> {
        if json.len() > Self::MAX_INPUT_BYTES {
            return Err(PoolError::TooLong { input: "the pool", length: json.len() });
        }
        let text = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
        if !text.trim_ascii_start().starts_with(b"{") {
            check_is_text_of_a_pool(json)?;
        }
        let mut fields =
            match Tree::read(text).and_then(|tree| Fields::of(tree, "the pool".to_owned(), &DOCUMENT)) {
                Ok(fields) => fields,
                Err(error @ PoolError::UnknownField { .. }) => {
                    tree::check_is_no_other(text)?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            };
        // of a newer one, nothing else can be judged
        if let Some(format) = fields.number("Format")?.filter(|format| *format > Self::FORMAT) {
            return Err(PoolError::NewerFormat { format });
        }
        let generation = fields.number("Generation")?.unwrap_or(0);
        let entries = fields.list("CAs")?;
        let unknown = fields.further.clone();
        for name in [REVOKED, ROTATION] {
            if let Some(value) = fields.take(name) {
                fields.further.insert(name.to_owned(), value.into_value());
            }
        }
        check_revocation(&fields.further)?;
        if entries.is_empty() && (generation > 0 || !fields.further.is_empty()) {
            tree::check_is_no_other(text)?;
            return Err(PoolError::NoList { fields: fields::names(&fields.further) });
        }
        check_count(entries.len())?;
        let mut members: Vec<Member> = entries
            .into_iter()
            .enumerate()
            .map(|(index, entry)| member(index, entry))
            .collect::<Result<_, _>>()?;
        let ids: Vec<&str> = members.iter().map(|member| member.authority.id()).collect();
        fields::check_names_no_ca(&unknown, &ids)?;
        decide_on_predecessors(&mut members);
        Self::of_members(members, generation, fields.further)
    }

    /// Writes the pool in JSON, keys included. The buffer is wiped when it is dropped.
    ///
    /// # Errors
    /// If the cryptographic library can't encode a key, or a key isn't in this process.
    pub fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
        let entries = self.members.iter().map(Entry::of_member).collect::<Result<Vec<_>, _>>()?;
        let document =
            Document { authorities: entries, generation: self.generation, further: self.further.clone() };
        let key_type = self.signing().key().key_type();
        let failed = |_: serde_json::Error| SigningKeyError::Failed { action: "write down", key_type };
        // Room enough from the start: a buffer that grows leaves copies behind.
        let mut length = Length(1);
        serde_json::to_writer_pretty(&mut length, &document).map_err(failed)?;
        let mut json = Zeroizing::new(Vec::with_capacity(length.0));
        serde_json::to_writer_pretty(&mut *json, &document).map_err(failed)?;
        json.push(b'\n');
        Ok(json)
    }
}

/// What editors of Windows put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Names what is something else altogether.
fn check_is_text_of_a_pool(bytes: &[u8]) -> Result<(), PoolError> {
    const PEM: &str = "it is PEM, which is given as `certFile` and `keyFile` in the configuration and as --cert-file and --key-file to signerctl";
    if bytes.windows(PEM_BEGIN.len()).any(|window| window == PEM_BEGIN) {
        return Err(PoolError::ForeignJson { problem: PEM });
    }
    foreign(bytes).map_or(Ok(()), |problem| Err(PoolError::ForeignJson { problem }))
}

const PEM_BEGIN: &[u8] = b"-----BEGIN ";

fn member(index: usize, tree: Tree) -> Result<Member, PoolError> {
    let mut fields = Fields::of(tree, format!("CAs[{index}]"), &ENTRY)?;
    // a missing ID is an empty one, as in Go
    let id = fields.text("ID")?;
    if id.chars().count() > CaPool::MAX_ID_CHARACTERS || id.chars().any(char::is_control) {
        return Err(PoolError::BadId { index });
    }
    let entry = PoolEntry::new(index, &id);
    fields::check_has_no_flag(&fields.further, &entry.to_string())?;
    let signs_from = time(&entry, "SignsFrom", &mut fields)?;
    let (signs_until, trusted_until) =
        (time(&entry, "SignsUntil", &mut fields)?, time(&entry, "TrustedUntil", &mut fields)?);
    if signs_until.is_none() && trusted_until.is_some() {
        return Err(PoolError::NoSignsUntil { entry });
    }
    let max_leaf_lifetime = fields.number("LongestLeafSeconds")?;
    let max_leaf_lifetime = max_leaf_lifetime.map(|seconds| longest_leaf_of(&entry, seconds)).transpose()?;
    let key = Zeroizing::new(decode(&entry, "SigningKeyPKCS8", &fields.text("SigningKeyPKCS8")?)?);
    let key = SigningKey::from_pkcs8(&key)
        .map_err(|source| PoolError::Key { place: format!("SigningKeyPKCS8 of {entry}"), source })?;
    let root = certificate(&entry, "RootCertificateDER", &fields.text("RootCertificateDER")?)?;
    let intermediates = intermediates(&entry, &fields.texts("IntermediateCertificatesDER")?)?;
    let authority = CertificateAuthority::new(id.to_string(), key, intermediates, vec![root])
        .map_err(|source| PoolError::Authority { entry, source })?;
    let mut member =
        Member { signs_from, max_leaf_lifetime, further: fields.further, ..Member::from(authority) };
    member.retirement = signs_until.map(|signs_until| {
        let decided = member.recorded().retiring(signs_until);
        Retirement { trusted_until: trusted_until.unwrap_or(decided.trusted_until), ..decided }
    });
    Ok(member)
}

/// Reads pools in which each CA says from when on it signs: that is when those before it cease to.
fn decide_on_predecessors(members: &mut [Member]) {
    let is_undecided = members.iter().all(|member| member.retirement.is_none());
    let from = if is_undecided { 0 } else { 1 };
    if members.iter().skip(from).all(|member| member.signs_from.is_none()) {
        return;
    }
    members.sort_by_key(|member| member.signs_from);
    let (mut next, mut says_so) = (None, false);
    for member in members.iter_mut().rev() {
        let decided =
            member.retirement.filter(|end| !says_so && next.is_some_and(|next| end.signs_until < next));
        member.retirement = decided.or(next.map(|next| member.recorded().retiring(next)));
        (next, says_so) = (member.signs_from.or(next), member.signs_from.is_some());
    }
}

impl Entry {
    fn of_member(member: &Member) -> Result<Self, SigningKeyError> {
        let Member { authority, signs_from, retirement, max_leaf_lifetime, further } = member;
        let key = authority
            .key()
            .local()
            .ok_or_else(|| SigningKeyError::Elsewhere { id: authority.id().to_owned() })?;
        let intermediates: Vec<String> = authority
            .intermediates_to(authority.root())
            .into_iter()
            .map(|certificate| STANDARD.encode(certificate.der()))
            .collect();
        Ok(Self {
            id: authority.id().to_owned(),
            signing_key: Secret(Zeroizing::new(STANDARD.encode(&*key.to_pkcs8()?))),
            root: STANDARD.encode(authority.root().der()),
            intermediates: if intermediates.is_empty() { None } else { Some(intermediates) },
            signs_from: signs_from.map(|from| from.to_string()),
            signs_until: retirement.map(|end| end.signs_until.to_string()),
            trusted_until: retirement.map(|end| end.trusted_until.to_string()),
            longest_leaf_seconds: max_leaf_lifetime.map(|longest| longest.as_secs()),
            further: further.clone(),
        })
    }
}

fn time(entry: &PoolEntry, field: &'static str, fields: &mut Fields) -> Result<Option<Timestamp>, PoolError> {
    let parsed = fields.take(field).map(|value| match value {
        Tree::Text(text) => text.parse().ok(),
        _ => None,
    });
    parsed.map(|time| time.ok_or_else(|| PoolError::BadTime { entry: entry.clone(), field })).transpose()
}

fn longest_leaf_of(entry: &PoolEntry, seconds: u64) -> Result<Duration, PoolError> {
    let longest = Duration::from_secs(seconds);
    if !(Terms::LEAST_LIFETIME..=MAX_LEAF_LIFETIME).contains(&longest) {
        return Err(PoolError::BadLongestLeaf { entry: entry.clone(), seconds });
    }
    Ok(longest)
}

fn intermediates(entry: &PoolEntry, encoded: &[Zeroizing<String>]) -> Result<Vec<CaCertificate>, PoolError> {
    if encoded.len() > CaPool::MAX_CERTIFICATES {
        let place = format!("IntermediateCertificatesDER of {entry}");
        return Err(PoolError::TooManyCertificates { place, found: encoded.len() });
    }
    let field = |index| format!("IntermediateCertificatesDER[{index}]");
    encoded.iter().enumerate().map(|(index, text)| certificate(entry, &field(index), text)).collect()
}

fn certificate(entry: &PoolEntry, field: &str, text: &str) -> Result<CaCertificate, PoolError> {
    CaCertificate::from_der(field, &decode(entry, field, text)?)
        .map_err(|source| PoolError::Authority { entry: entry.clone(), source })
}

fn decode(entry: &PoolEntry, field: &str, text: &str) -> Result<Vec<u8>, PoolError> {
    if text.is_empty() {
        return Err(PoolError::Missing { entry: entry.clone(), field: field.to_owned() });
    }
    // Go's decoder passes over line breaks, too
    let mut one_line = Zeroizing::new(String::with_capacity(text.len()));
    one_line.extend(text.chars().filter(|c| !matches!(c, '\r' | '\n')));
    // the decoder's own message quotes what it stumbles over
    STANDARD
        .decode(one_line.as_bytes())
        .map_err(|_| PoolError::NotBase64 { entry: entry.clone(), field: field.to_owned() })
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
