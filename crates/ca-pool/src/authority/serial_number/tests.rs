use der::{Decode, Encode, asn1::UintRef};
use proptest::prelude::*;

use super::*;

#[test]
fn is_positive_and_minimal() {
    let mut small = [0; 16];
    small[15] = 0x80;
    for (random, der) in [
        ([0; 16], vec![0x02, 1, 1]),
        (small, vec![0x02, 2, 0, 0x80]),
        ([0xff; 16], [&[0x02, 17, 0][..], &[0xff; 16]].concat()),
        ([0x7f; 16], [&[0x02, 16][..], &[0x7f; 16]].concat()),
    ] {
        assert_eq!(SerialNumber::from_random(random).to_asn1().unwrap().to_der().unwrap(), der);
    }
}

proptest! {
    #[test]
    fn keeps_all_128_bits(random: [u8; 16]) {
        prop_assume!(random != [0; 16]);
        let der = SerialNumber::from_random(random).to_asn1().unwrap().to_der().unwrap();
        let read = UintRef::from_der(&der).unwrap();
        let significant = random.iter().position(|byte| *byte != 0).unwrap();
        prop_assert_eq!(read.as_bytes(), &random[significant..]);
        prop_assert!(der.len() <= 2 + 20);
    }
}
