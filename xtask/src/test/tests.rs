use super::*;

#[test]
fn packages_are_chosen_as_cargo_test_takes_them() {
    let chosen_by = |arguments: &str| -> String {
        let arguments: Vec<_> = arguments.split(' ').map(str::to_owned).collect();
        chosen(&arguments).join(" ")
    };
    let cases = [
        ("", ""),
        ("-p a", "a"),
        ("-pa --lib", "a"),
        ("-p=a", "a"),
        ("--package a --package=b", "a b"),
        ("--profile dev", ""),
        ("--test api_server -- -p", ""),
        ("-p", ""),
    ];
    for (arguments, expected) in cases {
        assert_eq!(chosen_by(arguments), expected, "{arguments}");
    }
}
