//! What a pod's author asks for, parsed.

use std::{fmt::Display, net::IpAddr, str::FromStr};

use signer_core::{CommonName, Denial, DnsName, Request, Uri, ca_pool::MAX_NAMES};

use crate::{
    annotations::{Annotation, Annotations},
    keys::Item,
    ownership::own_common_name,
    placeholders::Placeholders,
    quoted::Quoted,
    usage::Usage,
    validity::Validity,
};

/// What a pod's author asks for. It is well-formed; whether the pod may have it is another question.
#[derive(Debug)]
pub(crate) struct Requested<'r> {
    pub(crate) common_name: Option<Wish<'r, WantedCommonName>>,
    pub(crate) dns_names: Option<Wish<'r, Vec<DnsName>>>,
    pub(crate) uris: Option<Wish<'r, Vec<Uri>>>,
    pub(crate) ip_addresses: Option<Wish<'r, Vec<IpAddr>>>,
    pub(crate) usages: Option<Wish<'r, Vec<Usage>>>,
    pub(crate) validity: Validity,
}

/// What an annotation asks for.
#[derive(Debug)]
pub(crate) struct Wish<'r, T> {
    pub(crate) annotation: Annotation<'r>,
    pub(crate) wanted: T,
}

/// A common name that a pod may have at most.
#[derive(Debug)]
pub(crate) enum WantedCommonName {
    /// The pod's name that is a single label, which needs no permission: it can't be taken for a DNS name of
    /// others.
    PodName(CommonName),
    /// Any other, which is a DNS name and needs the same permission as one. A pod's name of several labels is
    /// here too: its author chose it freely.
    DnsName(CommonName, DnsName),
}

impl<'r> Requested<'r> {
    /// Reads all annotations.
    ///
    /// # Errors
    /// If one of them is malformed.
    pub(crate) fn read(
        annotations: &Annotations<'r>,
        placeholders: Placeholders<'_>,
        request: &Request,
    ) -> Result<Self, Denial> {
        Ok(Self {
            common_name: wish(annotations.get(Item::CommonName), |annotation| {
                common_name(annotation, placeholders)
            })?,
            dns_names: wish(annotations.get(Item::DnsNames), |annotation| names(annotation, placeholders))?,
            uris: wish(annotations.get(Item::Uris), |annotation| names(annotation, placeholders))?,
            ip_addresses: wish(annotations.get(Item::IpAddresses), |annotation| {
                list(annotation, ip_address)
            })?,
            usages: wish(annotations.get(Item::Usages), |annotation| usages(annotation, request))?,
            validity: Validity::read(annotations, request)?,
        })
    }

    /// The common name that is asked for, if it is a DNS name.
    pub(crate) fn common_dns_name(&self) -> Option<&DnsName> {
        match &self.common_name.as_ref()?.wanted {
            WantedCommonName::PodName(_) => None,
            WantedCommonName::DnsName(_, name) => Some(name),
        }
    }

    /// How many names they ask for.
    pub(crate) fn names(&self) -> usize {
        fn count<T>(wish: Option<&Wish<'_, Vec<T>>>) -> usize {
            wish.map_or(0, |wish| wish.wanted.len())
        }
        let lists =
            [count(self.dns_names.as_ref()), count(self.uris.as_ref()), count(self.ip_addresses.as_ref())];
        usize::from(self.common_name.is_some()) + lists.iter().sum::<usize>()
    }
}

impl WantedCommonName {
    pub(crate) fn common_name(&self) -> &CommonName {
        match self {
            Self::PodName(name) | Self::DnsName(name, _) => name,
        }
    }
}

fn wish<'r, T>(
    annotation: Option<Annotation<'r>>,
    read: impl FnOnce(&Annotation<'r>) -> Result<T, Denial>,
) -> Result<Option<Wish<'r, T>>, Denial> {
    let Some(annotation) = annotation else { return Ok(None) };
    let wanted = read(&annotation)?;
    Ok(Some(Wish { annotation, wanted }))
}

fn common_name(
    annotation: &Annotation<'_>,
    placeholders: Placeholders<'_>,
) -> Result<WantedCommonName, Denial> {
    let text = placeholders.expand(annotation.value()).map_err(|error| annotation.malformed(error))?;
    let name: CommonName = text.parse().map_err(|error| annotation.malformed(error))?;
    if own_common_name(placeholders.pod) == Some(text.as_str()) {
        return Ok(WantedCommonName::PodName(name));
    }
    let dns_name = text.parse().map_err(|error| {
        annotation.malformed(format_args!(
            "{error}; a common name is the pod's name ({}) where that is a single label, or a DNS name",
            Quoted(&placeholders.pod.name)
        ))
    })?;
    Ok(WantedCommonName::DnsName(name, dns_name))
}

/// A list of names with placeholders. None of their values holds a comma, so it makes no difference which is
/// looked for first.
fn names<T>(annotation: &Annotation<'_>, placeholders: Placeholders<'_>) -> Result<Vec<T>, Denial>
where
    T: FromStr<Err: Display> + PartialEq,
{
    list(annotation, |entry| {
        let text = placeholders.expand(entry).map_err(|error| error.to_string())?;
        text.parse().map_err(|error: T::Err| error.to_string())
    })
}

/// A comma list, with white space around its entries, line breaks included. A name that occurs twice counts
/// once: a certificate carries a set of names.
fn list<T: PartialEq>(
    annotation: &Annotation<'_>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Denial> {
    let length = annotation.value().split(',').count();
    if length > MAX_NAMES {
        return Err(annotation.malformed(format_args!(
            "it lists {length} entries; {MAX_NAMES} are the most that a certificate carries"
        )));
    }
    let mut wanted = Vec::new();
    for (i, entry) in annotation.value().split(',').enumerate() {
        let entry = entry.trim_matches([' ', '\t', '\n', '\r']);
        if entry.is_empty() {
            let rule = format_args!(
                "entry {} of {} is empty; write the entries with one comma between two",
                i + 1,
                Quoted(annotation.value())
            );
            return Err(annotation.malformed(rule));
        }
        let entry = parse(entry).map_err(|error| annotation.malformed(error))?;
        if !wanted.contains(&entry) {
            wanted.push(entry);
        }
    }
    Ok(wanted)
}

fn ip_address(text: &str) -> Result<IpAddr, String> {
    let no_address =
        |_| format!("{} is not a valid IP address; write one such as 192.0.2.1 or 2001:db8::1", Quoted(text));
    let address: IpAddr = text.parse().map_err(no_address)?;
    match address {
        // to some verifiers it is the IPv4 address, to others it isn't
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => Err(format!("{} is an IPv4 address in IPv6; write {v4}", Quoted(text))),
            None => Ok(address),
        },
        IpAddr::V4(_) => Ok(address),
    }
}

fn usages(annotation: &Annotation<'_>, request: &Request) -> Result<Vec<Usage>, Denial> {
    let key_type = request.key_type();
    let usages = list(annotation, |entry| {
        let usage: Usage = entry.parse().map_err(|error: crate::UsageError| error.to_string())?;
        match usage.lacks(key_type) {
            None => Ok(usage),
            Some(rule) => Err(format!("usage {entry:?} isn't for keys of type {key_type}: {rule}")),
        }
    })?;
    if !usages.iter().any(|usage| matches!(usage, Usage::Extended(_))) {
        let rule = "it lists no extended key usage, and a certificate without one is good for every purpose \
                    (RFC 5280 §4.2.1.12); add server auth or client auth";
        return Err(annotation.malformed(rule));
    }
    if !usages.contains(&Usage::KEY_AGREEMENT)
        && (usages.contains(&Usage::ENCIPHER_ONLY) || usages.contains(&Usage::DECIPHER_ONLY))
    {
        let rule = "\"encipher only\" and \"decipher only\" mean nothing without \"key agreement\" (RFC 5280 §4.2.1.3); add that";
        return Err(annotation.malformed(rule));
    }
    Ok(usages)
}
