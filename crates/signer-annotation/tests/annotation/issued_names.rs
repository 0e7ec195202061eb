//! Nothing is issued that the model of [`ownership`](crate::ownership) doesn't own, whatever an
//! [`adversary`](crate::adversary) chooses; and what it owns is issued.

use proptest::prelude::*;
use signer_annotation::AnnotationsFrom;
use signer_core::{Decision, Leaf};

use crate::{
    adversary::{Annotations, World, world},
    scenario::decide,
};

fn check(world: &World, leaf: &Leaf) -> Result<(), TestCaseError> {
    if let Some(name) = &leaf.common_name {
        prop_assert!(world.owns_common_name(name.as_str()), "CN={name} for {world:#?}");
    }
    for name in leaf.dns_names.iter().map(|name| name.as_str()) {
        prop_assert!(world.owns_dns_name(name), "{name} for {world:#?}");
    }
    for uri in &leaf.uris {
        prop_assert!(world.owns_uri(uri.as_str()), "{uri} for {world:#?}");
    }
    for address in &leaf.ip_addresses {
        prop_assert!(world.owns_ip_address(*address), "{address} for {world:#?}");
    }
    for usage in &leaf.extended_key_usages {
        prop_assert!(world.owns_usage(*usage), "{usage:?} for {world:#?}");
    }
    for usage in &leaf.further_key_usages {
        prop_assert!(world.owns_key_usage(*usage), "{usage:?} for {world:#?}");
    }
    prop_assert!(!leaf.extended_key_usages.is_empty(), "good for every purpose: {world:#?}");
    let names = leaf.dns_names.iter().map(|name| name.as_str());
    let names = names.chain(leaf.common_name.iter().map(|name| name.as_str()));
    let absent = names.clone().filter_map(|name| world.absent_service(name)).collect();
    prop_assert_eq!(
        &leaf.absent_services,
        &absent,
        "what has to be asked before it is issued, for {:#?}",
        world
    );
    Ok(())
}

/// Whether all of it is the pod's own or granted, and plain to see: no placeholders, and names alone.
fn is_plainly_owned(world: &World, annotations: &Annotations) -> bool {
    let mut items = annotations.iter();
    items.all(|(item, value)| match *item {
        _ if value.contains('$') => false,
        "cn" => value.len() <= 64 && world.owns_common_name(value),
        "san" => value.split(',').all(|name| world.owns_dns_name(name.trim())),
        _ => false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn are_own_or_granted(world in world()) {
        let decision = decide(&world.config(), world.request());
        let read = match (world.settings.annotations_from, world.volume.is_empty()) {
            (AnnotationsFrom::Pod, false) => None,
            (AnnotationsFrom::Volume, _) | (AnnotationsFrom::Either, false) => Some(&world.volume),
            (AnnotationsFrom::Pod | AnnotationsFrom::Either, true) => Some(&world.rewritten),
        };
        let Some(read) = read else {
            prop_assert!(matches!(decision, Decision::Deny(_)), "the volume's requested are passed over: {world:#?}");
            return Ok(());
        };
        match &decision {
            Decision::Issue(leaf) => check(&world, leaf)?,
            Decision::Deny(_) | Decision::Wait(_) => {
                let has_name = read.contains_key("san");
                prop_assert!(!(has_name && is_plainly_owned(&world, read)), "{decision:?} for {world:#?}");
            }
        }
        if std::ptr::eq(read, &world.volume) {
            let untouched = World { rewritten: Annotations::new(), ..world.clone() };
            let without = decide(&world.config(), untouched.request());
            prop_assert_eq!(without, decision, "whoever rewrites the pod's annotations changes nothing: {:#?}", world);
        }
    }

    #[test]
    fn are_never_what_dns_gives_to_others(world in world()) {
        let ungranted = World { grants: vec![], ..world };
        if let Decision::Issue(leaf) = decide(&ungranted.config(), ungranted.request()) {
            let common_name = leaf.common_name.iter().map(|name| name.as_str()).filter(|name| name.contains('.'));
            for name in leaf.dns_names.iter().map(|name| name.as_str()).chain(common_name) {
                prop_assert!(!ungranted.dns_gives_to_others(name), "{name} for {ungranted:#?}");
            }
        }
    }
}
