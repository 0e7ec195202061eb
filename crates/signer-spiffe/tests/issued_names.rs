//! A certificate carries the SPIFFE ID of the pod's namespace and service account, and nothing else, whatever
//! an adversary writes elsewhere.

#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use proptest::{option, prelude::*};
use signer_core::{Decision, ExtendedKeyUsage, Signer, testing::RequestBuilder};
use signer_spiffe::{SpiffeConfig, SpiffeSigner};

const SIGNER: &str = "row-major.net/spiffe";

/// What the API server takes as a service account's name, dots included; and what it wouldn't.
const ACCOUNT: &str = "[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?(\\.[a-z0-9]{1,3}){0,2}|\\.\\.|sa/admin|\\.\\./\\.\\./ns/shop/sa/web|a%2fb|";
const WISH: &str = "spiffe://t\\.example/ns/(shop|evil)/sa/(web|admin)|\\$\\{pod\\.name\\}|[a-z.]{1,12}";
const ITEM: &str = "row-major\\.net/spiffe(-(id|uris|san|path|services))?|spiffe\\.io/id";

fn decide(request: RequestBuilder) -> Option<Decision> {
    let trust_domain = signer_spiffe::parse_trust_domain("t.example").unwrap();
    let signer = SpiffeSigner::new(SpiffeConfig::new(SIGNER.parse().unwrap(), trust_domain).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(signer.decide(&request.build())).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn are_the_service_accounts_id_alone(
        namespace in "shop|evil|[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?",
        account in ACCOUNT,
        name in "web|ns\\.shop\\.sa\\.web|10-0-0-5|[a-z0-9.]{1,9}",
        wish in option::of((ITEM, WISH)),
        rewritten in option::of((ITEM, WISH)),
        label in option::of((ITEM, WISH)),
    ) {
        let request = RequestBuilder::new(SIGNER).namespace(&namespace).service_account(&account).pod(|pod| pod.name = name);
        let request = wish.iter().fold(request, |request, (key, value)| request.user_annotation(key, value));
        let request = rewritten.iter().fold(request, |request, (key, value)| request.annotation(key, value));
        let request = label.iter().fold(request, |request, (key, value)| request.label(key, value));
        let is_name = |text: &str| text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        });
        match decide(request) {
            Some(Decision::Issue(leaf)) => {
                prop_assert!(wish.is_none() && is_name(&account), "{account:?} {wish:?}");
                prop_assert_eq!(leaf.uris.len(), 1);
                // segment by segment: no part of a name can become another segment
                let segments: Vec<&str> = leaf.uris[0].as_str().split('/').collect();
                prop_assert_eq!(&segments[..], ["spiffe:", "", "t.example", "ns", &namespace, "sa", &account]);
                prop_assert!(leaf.common_name.is_none() && leaf.dns_names.is_empty() && leaf.ip_addresses.is_empty());
                prop_assert!(leaf.extended_key_usages.into_iter().eq([ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth]));
                prop_assert!(leaf.further_key_usages.is_empty());
            }
            Some(Decision::Deny(_)) => prop_assert!(wish.is_some(), "{account:?}"),
            Some(Decision::Wait(_)) => prop_assert!(false, "nothing to wait for"),
            None => prop_assert!(!is_name(&account) && wish.is_none(), "an error for {account:?}"),
        }
    }
}
