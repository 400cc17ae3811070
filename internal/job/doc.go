// Package job does the work that changes leave behind, such as sending mail.
//
// A change writes its jobs in its own transaction. A Runner claims those that
// are due under a lease, does each in a bounded number of goroutines, and
// closes it: finished, to be tried again later, or abandoned. How often it is tried
// depends on its kind; some kinds come again by themselves, for ever. No two processes
// have one job at the same time, as long as a job takes less than its lease and
// the clocks agree better than the difference. A process that dies leaves its
// jobs to the others when their leases end, so that a job whose deed was done
// but not noted is done twice: handlers make that recognisable by the job's id.
//
// The log names a job by id, kind and tenant, and says nothing of its payload.
package job
