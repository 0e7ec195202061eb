//! What replicas call each other.

use std::fmt;

use bounded_text::hex;

/// A replica's name: its pod's, and a number that is drawn at each start, so that two replicas never have the
/// same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReplicaName(String);

/// What parts it from the rest of a condition's message.
const MARK: &str = "; replica ";

/// Longer than any pod's name with a number.
const LONGEST: usize = 80;

/// A pod's name has 63 characters at most where it is the hostname.
const LONGEST_HOST: usize = 63;

impl ReplicaName {
    /// The name of a process on this host. Characters that no pod's name has are left out.
    pub(crate) fn new(host: &str, random: [u8; 4]) -> Self {
        let host: String = host.chars().filter(is_of_name).take(LONGEST_HOST).collect();
        Self(format!("{host}/{}", hex(&random)))
    }

    /// The name of this process.
    pub(crate) fn of_process() -> Self {
        let mut random = [0; 4];
        // without random numbers nothing is signed either; the process's number tells two of one host apart
        if aws_lc_rs::rand::fill(&mut random).is_err() {
            random = std::process::id().to_be_bytes();
        }
        Self::new(&std::env::var("HOSTNAME").unwrap_or_else(|_| "signer-manager".to_owned()), random)
    }

    /// The host's part.
    pub(crate) fn host(&self) -> &str {
        let Self(name) = self;
        name.split_once('/').map_or(name, |(host, _)| host)
    }

    /// A condition's message that names this replica.
    pub(crate) fn sign(&self, message: &str) -> String {
        format!("{message}{MARK}{self}")
    }

    /// The bytes that [`sign`](Self::sign) adds.
    pub(crate) fn signature_len(&self) -> usize {
        let Self(name) = self;
        MARK.len() + name.len()
    }

    /// The replica that a condition's message names.
    pub(crate) fn of_message(message: &str) -> Option<Self> {
        let (_, name) = message.rsplit_once(MARK)?;
        let is_name = name.len() <= LONGEST && name.chars().all(|c| is_of_name(&c) || c == '/');
        is_name.then(|| Self(name.to_owned()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        let Self(name) = self;
        name.as_bytes()
    }
}

impl fmt::Display for ReplicaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        f.write_str(name)
    }
}

fn is_of_name(c: &char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_replica_that_wrote_it() {
        let name = ReplicaName::new("signer-manager-7d9f-x2x", [1, 2, 3, 0xff]);
        assert_eq!(name.to_string(), "signer-manager-7d9f-x2x/010203ff");
        let message = name.sign("serial number 12");
        assert_eq!(message, "serial number 12; replica signer-manager-7d9f-x2x/010203ff");
        assert_eq!(message.len(), "serial number 12".len() + name.signature_len());
        assert_eq!(ReplicaName::of_message(&message), Some(name));
    }

    #[test]
    fn whatever_the_host_is_called_its_name_can_be_read_again() {
        for host in ["", "; replica x", "ä ö", &"x".repeat(300)] {
            let name = ReplicaName::new(host, [0; 4]);
            assert_eq!(ReplicaName::of_message(&name.sign("m; replica y")), Some(name), "{host}");
        }
    }

    #[test]
    fn other_messages_name_nobody() {
        let long = format!("m; replica {}", "x".repeat(81));
        for message in ["", "serial number 12", "m; replica a b", "m; replica \n", &long] {
            assert_eq!(ReplicaName::of_message(message), None, "{message}");
        }
    }
}
