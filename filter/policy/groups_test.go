package policy

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// An array of groups decides about an origin as the first group that knows it does alone; only Vary is the array's.
func TestGroupsDecideAsTheFirstThatKnowsTheOriginDoesAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 4))
	byGroup := map[int]int{}
	for range 3000 {
		var blocks []CORS
		var alone []*Policy
		for range 2 + r.IntN(3) {
			c := randomCORS(t, r)
			if len(blocks) > 0 {
				shared := blocks[0]
				c.PreflightStatus, c.OnRefusedPreflight, c.OnRefusedOrigin = shared.PreflightStatus, shared.OnRefusedPreflight, shared.OnRefusedOrigin
				c.OnMissingOrigin, c.UpstreamHeaders = shared.OnMissingOrigin, shared.UpstreamHeaders
			}
			if p, err := compile([]CORS{c}); err == nil {
				blocks, alone = append(blocks, c), append(alone, p)
			}
		}
		if len(blocks) < 2 {
			continue
		}
		p, err := compile(blocks)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			q := randomRequest(r)
			got := p.Decide(&q)
			q.judged = false
			g := slices.IndexFunc(alone, func(a *Policy) bool {
				reason, _ := a.judgeOrigin(&q)
				return reason.Verdict() == Allowed && q.Origins == 1
			})
			byGroup[g]++
			if g < 0 || q.Origins == 0 {
				if got.Grant != "" || got.Verdict() == Allowed && got.Reason != SameOrigin && got.Reason != NothingAsked {
					t.Fatalf("no group knows %+v, and it gets %+v", q, got)
				}
				continue
			}
			q.judged = false
			want := alone[g].Decide(&q)
			if got.group != &p.groups[g] || want.group != &alone[g].groups[0] {
				t.Fatalf("%+v is not decided by group %d", q, g)
			}
			gotReply, wantReply := p.Reply(&got, false, nil), alone[g].Reply(&want, false, nil)
			varies := got.Vary == VaryPreflight || got.Vary == VaryOrigin
			got.group, got.Vary, want.group, want.Vary = nil, VaryNothing, nil, VaryNothing
			if !reflect.DeepEqual(got, want) || !varies {
				t.Fatalf("%+v:\n got %+v\nwant %+v", q, got, want)
			}
			if want.Kind == Preflight && !slices.Equal(gotReply, wantReply) {
				t.Fatalf("%+v:\n got %q\nwant %q", q, gotReply, wantReply)
			}
		}
	}
	for g := range 3 {
		if byGroup[g] < 500 {
			t.Errorf("group %d decided %d times", g, byGroup[g])
		}
	}
}
