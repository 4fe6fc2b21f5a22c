//! Tests of the judge and the algebra.
