/**
 * How long threads of a session look for work before they sleep, as entries of its configuration. Waking them costs
 * more than the smallest products of a decode step take; but without a bound, threads of sessions that have done
 * their part take the cores from the one whose turn it is.
 */
export const spinning = Object.freeze({
  'session.intra_op.allow_spinning': '1',
  'session.intra_op.spin_duration_us': '50',
});
