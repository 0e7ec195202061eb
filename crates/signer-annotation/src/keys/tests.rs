use proptest::prelude::*;

use super::*;

#[test]
fn of_two_names_that_fit_a_key_the_longer_owns_it() {
    let names: Vec<SignerName> = ["a.b/foo", "a.b/foo-bar", "a.b/foo-bar-baz", "a.b/fo", "b.b/foo"]
        .map(|name| name.parse().unwrap())
        .into();
    let item = |name: usize, key: &str| Keys::new(&names[name], &names).item_of(key).map(str::to_owned);
    assert_eq!(item(0, "a.b/foo-cn").as_deref(), Some("cn"));
    assert_eq!(item(0, "a.b/foo-bar").as_deref(), Some("bar"), "which isn't <a.b/foo-bar>-<item>");
    assert_eq!(item(0, "a.b/foo-bar-cn"), None);
    assert_eq!(item(1, "a.b/foo-bar-cn").as_deref(), Some("cn"));
    assert_eq!(item(1, "a.b/foo-bar-baz-cn"), None);
    assert_eq!(item(3, "a.b/foo-cn"), None);
    assert_eq!(item(4, "a.b/foo-cn"), None);
}

proptest! {
    #[test]
    fn a_key_has_one_owner_at_most(names in proptest::collection::vec("a\\.b/[xy](-?[xy]){0,3}", 1..5), key in "a\\.b/[xy](-?[xy]){0,4}-[xy]?") {
        let names: Vec<SignerName> = names.iter().map(|name| name.parse().unwrap()).collect();
        let longest = names.iter().filter(|name| key.starts_with(&format!("{name}-"))).max_by_key(|name| name.as_str().len());
        for name in &names {
            let is_owner = Keys::new(name, &names).item_of(&key).is_some();
            prop_assert_eq!(is_owner, longest == Some(name), "{} {}", name, key);
        }
    }
}
