package main

import (
	"math"
	"math/rand/v2"
)

// vec is a point, a direction or a colour.
type vec struct{ x, y, z float64 }

func (a vec) add(b vec) vec          { return vec{a.x + b.x, a.y + b.y, a.z + b.z} }
func (a vec) sub(b vec) vec          { return vec{a.x - b.x, a.y - b.y, a.z - b.z} }
func (a vec) mul(b vec) vec          { return vec{a.x * b.x, a.y * b.y, a.z * b.z} }
func (a vec) scale(f float64) vec    { return vec{a.x * f, a.y * f, a.z * f} }
func (a vec) dot(b vec) float64      { return a.x*b.x + a.y*b.y + a.z*b.z }
func (a vec) unit() vec              { return a.scale(1 / math.Sqrt(a.dot(a))) }
func (a vec) reflect(normal vec) vec { return a.sub(normal.scale(2 * a.dot(normal))) }

type ray struct{ origin, dir vec }

// sphere scatters light, or mirrors the part of it that mirror says.
type sphere struct {
	centre vec
	radius float64
	colour vec
	mirror float64
	glow   float64
}

type scene []sphere

func newScene() scene {
	s := scene{
		{vec{0, -1000, 0}, 1000, vec{0.55, 0.58, 0.62}, 0, 0},
		{vec{0, 1, 0.6}, 1, vec{0.95, 0.95, 0.98}, 0.9, 0},
		{vec{-2.1, 0.8, 0.2}, 0.8, vec{0.16, 0.75, 0.45}, 0.15, 0},
		{vec{2.1, 0.8, 0.2}, 0.8, vec{0.93, 0.55, 0.14}, 0.15, 0},
		{vec{-3, 5, -3}, 1.4, vec{1, 0.96, 0.9}, 0, 9},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 22 { // a ring of marbles
		angle := float64(i) / 22 * 2 * math.Pi
		r := 0.14 + 0.1*rng.Float64()
		s = append(s, sphere{
			vec{2.6 * math.Cos(angle), r, 0.4 + 2*math.Sin(angle)}, r,
			vec{rng.Float64(), rng.Float64(), rng.Float64()}, 0.6 * rng.Float64(), 0,
		})
	}
	return s
}

// hit returns the nearest sphere in front of the ray and its distance.
func (s scene) hit(r ray) (int, float64) {
	best, at := -1, math.Inf(1)
	for i, b := range s {
		oc := r.origin.sub(b.centre)
		half := oc.dot(r.dir)
		d := half*half - oc.dot(oc) + b.radius*b.radius
		if d < 0 {
			continue
		}
		root := math.Sqrt(d)
		for _, t := range [2]float64{-half - root, -half + root} {
			if t > 1e-4 && t < at {
				best, at = i, t
				break
			}
		}
	}
	return best, at
}

// trace follows one light path back from the eye.
func (s scene) trace(r ray, rng *rand.Rand, depth int) vec {
	i, t := s.hit(r)
	if i < 0 {
		f := 0.5 * (r.dir.y + 1)
		return vec{0.75, 0.82, 0.95}.scale(1 - f).add(vec{0.22, 0.36, 0.68}.scale(f)).scale(0.7)
	}
	ball := s[i]
	if ball.glow > 0 || depth == 0 {
		return ball.colour.scale(ball.glow)
	}
	point := r.origin.add(r.dir.scale(t))
	normal := point.sub(ball.centre).scale(1 / ball.radius)
	dir := normal.add(randomUnit(rng)) // Lambert's law
	if rng.Float64() < ball.mirror || dir.dot(dir) < 1e-12 {
		dir = r.dir.reflect(normal)
	}
	return ball.colour.mul(s.trace(ray{point, dir.unit()}, rng, depth-1))
}

// randomUnit returns a direction, evenly spread over the sphere.
func randomUnit(rng *rand.Rand) vec {
	z := 2*rng.Float64() - 1
	angle := 2 * math.Pi * rng.Float64()
	r := math.Sqrt(1 - z*z)
	return vec{r * math.Cos(angle), r * math.Sin(angle), z}
}
