//! Names that no other test uses, so that tests can run side by side and on clusters that others use too.

use aws_lc_rs::rand;

/// Ten characters that are a DNS label, and the beginning or end of one: 49 bits of randomness, as a run of
/// all tests takes thousands of them.
pub fn label() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut random = [0; 10];
    // It fails only where the operating system has no randomness to give: nothing works there.
    rand::fill(&mut random).expect("the operating system gives random bytes");
    let mut label: String = random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    // No digit first: some names (RFC 1035 labels, such as a Service's) begin with a letter.
    label.replace_range(..1, &char::from(LETTERS[usize::from(random[0] % 26)]).to_string());
    label
}

#[cfg(test)]
mod tests;
