//! DER as Go's `cryptobyte` reads it: tags of one octet, lengths in as few octets as will do, and no look at
//! what a value has left over.

#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// `[number]` of a primitive type.
pub(super) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// `[number]` of a type that holds others.
pub(super) const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}

impl<'a> Input<'a> {
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The next element: its tag and its content.
    pub(super) fn any(&mut self) -> Option<(u8, Self)> {
        const MANY_OCTETS: u8 = 0x1f;
        const LONG: u8 = 0x80;
        let [tag, length, rest @ ..] = self.0 else { return None };
        if tag & MANY_OCTETS == MANY_OCTETS {
            return None;
        }
        let (length, rest) = if length & LONG == 0 {
            (usize::from(*length), rest)
        } else {
            let (octets, rest) = rest.split_at_checked(usize::from(length ^ LONG))?;
            match octets {
                [0, ..] | [] | [_, _, _, _, _, ..] => return None,
                [one] if *one < LONG => return None,
                _ => {}
            }
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, Self(content)))
    }

    /// The content of the next element, which has this tag.
    pub(super) fn element(&mut self, tag: u8) -> Option<Self> {
        if self.has(tag) { self.any().map(|(_, content)| content) } else { None }
    }

    /// The content of the next element, if that has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Option<Option<Self>> {
        if self.has(tag) { self.element(tag).map(Some) } else { Some(None) }
    }

    pub(super) fn oid(&mut self) -> Option<&'a [u8]> {
        self.element(OID).map(|oid| oid.0).filter(|oid| is_oid(oid))
    }

    /// An integer of 64 bits, in as few octets as will do.
    pub(super) fn integer(&mut self, tag: u8) -> Option<()> {
        match self.element(tag)?.0 {
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => None,
            octets => (octets.len() <= 8).then_some(()),
        }
    }

    /// A bit string whose unused bits are zero.
    pub(super) fn bit_string(&mut self) -> Option<()> {
        let [unused, bits @ ..] = self.element(BIT_STRING)?.0 else { return None };
        let last = bits.last().copied().unwrap_or_default();
        let is_short = *unused < 8 && (*unused == 0 || !bits.is_empty());
        (is_short && last & ((1_u8 << unused) - 1) == 0).then_some(())
    }
}

/// Whether each number of an OID has less than 31 bits, and no zeros in front.
pub(super) fn is_oid(content: &[u8]) -> bool {
    const MORE: u8 = 0x80;
    let is_number = |octets: &[u8]| {
        let number = octets.iter().try_fold(0_u32, |number, octet| {
            (number < 1 << 24).then(|| number << 7 | u32::from(octet & !MORE))
        });
        octets[0] != MORE && number.is_some()
    };
    content.last().is_some_and(|last| last & MORE == 0)
        && content.split_inclusive(|octet| octet & MORE == 0).all(is_number)
}
