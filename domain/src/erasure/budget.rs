//! How much an erasure does in one step.

/// How far an erasure came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    Done,
    /// The step was long enough: the rest is for the next one.
    More,
    /// A send is under way, and will yet write to its record.
    Waiting,
}

/// How many requests one step may still make, so that it ends well before its function does.
#[derive(Debug)]
pub struct Budget {
    left: u32,
    erased: usize,
}

impl Budget {
    pub fn new(requests: u32) -> Self {
        Self { left: requests, erased: 0 }
    }

    pub fn spend(&mut self, requests: usize) {
        self.left = self.left.saturating_sub(u32::try_from(requests).unwrap_or(u32::MAX));
    }

    pub fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// So many items went: the step was not in vain.
    pub fn erase(&mut self, items: usize) {
        self.erased += items;
    }

    pub fn erased(&self) -> usize {
        self.erased
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends() {
        let mut budget = Budget::new(3);
        budget.spend(2);
        assert!(!budget.is_spent());
        budget.spend(usize::MAX);
        assert!(budget.is_spent());
    }
}
