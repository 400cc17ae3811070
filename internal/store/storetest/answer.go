package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var answerChecks = []check{
	{"An answer's fields round trip", answerRoundTrip},
	{"An answer is its tenant's, its caller's and its key's", answerApart},
	{"InsertAnswer takes the place of an answer that is AnswersKept old", answerReplaced},
	{"SweepAnswers removes answers made before a time", sweepAnswers},
}

func (s *sample) answer(key string) directory.Answer {
	return directory.Answer{Tenant: s.tenant, Caller: "key:Büro", Key: sum(key), Request: sum("request of " + key), Sealed: []byte{0, 1, 255, 0}, CreatedAt: noon}
}

func (s *sample) addAnswer(a directory.Answer) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error { return tx.InsertAnswer(s.ctx, a) })
}

// held reads an answer by the key of another value.
func (s *sample) held(a directory.Answer) (directory.Answer, error) {
	return tryLook(s, func(ctx context.Context, r directory.Reader) (directory.Answer, error) {
		return r.Answer(ctx, a.Tenant, a.Caller, a.Key)
	})
}

func (s *sample) wantAnswer(want directory.Answer) {
	s.t.Helper()
	got, err := s.held(want)
	if err != nil {
		s.t.Fatal(err)
	}
	wantSame(s.t, "Answer", got, want)
}

func answerRoundTrip(t *testing.T, s *sample) {
	a := s.answer("one")
	wantNoZero(t, a)
	s.addAnswer(a)
	s.wantAnswer(a)
}

func answerApart(t *testing.T, s *sample) {
	a, other := s.answer("one"), newSample(t, s.store)
	s.addAnswer(a)
	for name, change := range map[string]func(a *directory.Answer){
		"tenant": func(a *directory.Answer) { a.Tenant = other.tenant },
		"caller": func(a *directory.Answer) { a.Caller = "key:BÜRO" },
		"key":    func(a *directory.Answer) { a.Key = sum("two") },
	} {
		b := a
		change(&b)
		b.Sealed = []byte(name)
		_, err := s.held(b)
		wantNotFound(t, "the answer of another "+name, err)
		s.addAnswer(b)
		s.wantAnswer(b)
	}
	s.wantAnswer(a)
}

func answerReplaced(t *testing.T, s *sample) {
	a := s.answer("one")
	s.addAnswer(a)
	again := a
	again.Request, again.Sealed = sum("another request"), []byte("again")
	for _, age := range []time.Duration{0, time.Hour, directory.AnswersKept - time.Microsecond, -time.Hour} {
		again.CreatedAt = a.CreatedAt.Add(age)
		err := s.try(func(tx directory.Tx) error { return tx.InsertAnswer(s.ctx, again) })
		wantConflict(t, fmt.Sprintf("a second answer after %s", age), err)
		s.wantAnswer(a)
	}
	again.CreatedAt = a.CreatedAt.Add(directory.AnswersKept)
	s.addAnswer(again)
	s.wantAnswer(again)
}

func sweepAnswers(t *testing.T, s *sample) {
	kept := s.answer("kept")
	kept.CreatedAt = past
	s.wantSwept(3, func() {
		for i := range 3 {
			old := s.answer(fmt.Sprint("old", i))
			old.Caller, old.CreatedAt = fmt.Sprint("key:", i), past.Add(-time.Microsecond)
			s.addAnswer(old)
		}
		s.addAnswer(kept)
	}, func(tx directory.Tx) removal { return tx.SweepAnswers })
	s.wantAnswer(kept)
}
