// Render path-traces a picture of spheres on all cores it is given and writes
// it as a PNG: a small job with a result that can be looked at. It is the
// workload of the demo.
package main

import (
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	width := flag.Int("width", 480, "pixels")
	height := flag.Int("height", 270, "pixels")
	samples := flag.Int("samples", 48, "light paths per pixel")
	pause := flag.Duration("pause", 0, "pause after each row, to stretch the job")
	out := flag.String("out", filepath.Join(volume(), "picture.png"), "where to write the PNG")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*width, *height, *samples, *pause, *out); err != nil {
		log.Fatalf("render: %v", err)
	}
}

// volume is where the executor put the volume "data": at its path in a
// container, elsewhere under an engine that can't mount.
func volume() string {
	if dir := os.Getenv("GRAFI_VOLUME_DATA"); dir != "" {
		return dir
	}
	return "/data"
}

func run(width, height, samples int, pause time.Duration, out string) error {
	if width < 1 || height < 1 || samples < 1 {
		return fmt.Errorf("width, height and samples: got %d, %d, %d, want at least 1 each", width, height, samples)
	}
	began := time.Now()
	workers := runtime.GOMAXPROCS(0)
	fmt.Printf("rendering %d×%d pixels, %d paths each, on %d cores\n", width, height, samples, workers)

	img := image.NewRGBA(image.Rect(0, 0, width, height))
	scene := newScene()
	var next, finished atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				y := int(next.Add(1)) - 1
				if y >= height {
					return
				}
				// A generator per row: the picture does not depend on the number of cores.
				scene.row(img, y, samples, rand.New(rand.NewPCG(7, uint64(y))))
				time.Sleep(pause)
				if n := int(finished.Add(1)); n*10/height != (n-1)*10/height {
					fmt.Printf("%3d %% after %s\n", n*100/height, time.Since(began).Round(100*time.Millisecond))
				}
			}
		})
	}
	wg.Wait()

	f, err := os.CreateTemp(filepath.Dir(out), ".picture-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // only still there after a failure
	if err := png.Encode(f, img); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), out); err != nil {
		return err
	}
	fmt.Printf("wrote %s, %.1f million light paths in %s\n", out,
		float64(width*height*samples)/1e6, time.Since(began).Round(100*time.Millisecond))
	return nil
}

// toByte maps light to a display value, with gamma 2.
func toByte(light float64) uint8 {
	return uint8(255 * math.Sqrt(math.Min(1, math.Max(0, light))))
}

// row renders one line of the picture.
func (s scene) row(img *image.RGBA, y, samples int, rng *rand.Rand) {
	b := img.Bounds()
	for x := range b.Dx() {
		var sum vec
		for range samples {
			u := (float64(x)+rng.Float64())/float64(b.Dx()) - 0.5
			v := 0.5 - (float64(y)+rng.Float64())/float64(b.Dy())
			aspect := float64(b.Dx()) / float64(b.Dy())
			sum = sum.add(s.trace(ray{vec{0, 1.1, -4.4}, vec{u * aspect, v - 0.12, 1.25}.unit()}, rng, 8))
		}
		c := sum.scale(1 / float64(samples))
		img.SetRGBA(x, y, color.RGBA{toByte(c.x), toByte(c.y), toByte(c.z), 255})
	}
}
