//! Values that are the same for many nodes, kept once.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// The values that were seen so far.
pub struct Once<T>(Mutex<HashSet<Arc<T>>>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Eq + Hash> Once<T> {
    /// The value, or the one that is equal and was there before.
    pub fn one(&self, value: T) -> Arc<T> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = seen.get(&value) {
            return Arc::clone(there);
        }
        let value = Arc::new(value);
        seen.insert(Arc::clone(&value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one() {
        let once = Once::default();
        let [a, b, c] = ["a", "b", "a"].map(|text| once.one(text.to_owned()));
        assert!(Arc::ptr_eq(&a, &c));
        assert_eq!(*b, "b");
    }
}
