package diag

// Nearest returns the candidate that a misspelt word most likely means: the one
// with the smallest edit distance, if that is at most a third of the word's
// length (at least 1, ignoring case). Of equally near ones the first wins.
func Nearest(word string, candidates []string) (string, bool) {
	return NearestWithin(word, candidates, max(1, len(word)/3))
}

// NearestWithin is Nearest with the largest edit distance that counts.
func NearestWithin(word string, candidates []string, limit int) (string, bool) {
	best, found := "", false
	for _, c := range candidates {
		if d := distance(fold(word), fold(c), limit); d <= limit {
			best, found, limit = c, true, d-1
		}
		if limit < 0 {
			break
		}
	}
	return best, found
}

func fold(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// distance counts the insertions, deletions, substitutions and swaps of
// neighbours that turn a into b; anything above limit is limit+1.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit+1)
}
